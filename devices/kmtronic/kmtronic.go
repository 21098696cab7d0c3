// Package kmtronic drives the relays of KMtronic boards with an RS-232 port (R2S8CR and its smaller
// brothers; boards with a USB socket speak the same on the port that they make): 9600 baud, 8N1. The
// facts come from KMtronic's "RS232 Eight Channel Relay Controller" (R2S8CR).
//
// What the boards are like, and what it means here:
//
//   - A command is three bytes, FF, the relay and 01 or 00. Nothing answers it. So the states are
//     asked for at once after every command: that they come shows that the board is there, and what
//     they say is the outcome.
//   - The states are one byte for each relay, 00 or 01, and nothing else: no head, no checksum. Only
//     an answer of exactly so many such bytes is believed. What the board reports is what it was told;
//     a welded contact it cannot see.
//   - Where the wire back is missing, or a board does not know the question, `feedback: false` makes
//     the driver one-way: what a relay was last told is then all that anyone knows, and is shown so.
//   - There is one board on a line. The maker's RS-485 boards, which have addresses, are not driven
//     here.
package kmtronic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	head     = 0xFF
	askState = 0x09 // FF 09 00

	// timeout bounds the wait for the states. The manual gives none; eight bytes take 8 ms.
	timeout = 500 * time.Millisecond
	// pause is kept after a command: the manual gives none, the maker's own examples leave 50 ms.
	pause = 50 * time.Millisecond
)

// board names the one unit of a line, so that late states are waited out.
const board = "board"

// Settings are what a room file says of one relay.
type Settings struct {
	Relay    int  `yaml:"relay" doc:"1 to the number of relays of the board"`
	Channels int  `yaml:"channels" doc:"how many relays the board has, and tells of: 8 (default), 4, 2 or 1"`
	Feedback bool `yaml:"feedback" doc:"false where the board cannot be asked for its states; default true"`
}

// Validate checks the settings.
func (s *Settings) Validate() error {
	var err error
	if s.Channels != 1 && s.Channels != 2 && s.Channels != 4 && s.Channels != 8 {
		err = fmt.Errorf("channels %d: boards have 1, 2, 4 or 8 relays", s.Channels)
	}
	if s.Relay < 1 || s.Relay > s.Channels {
		err = errors.Join(err, fmt.Errorf("relay %d: it is 1 to %d", s.Relay, s.Channels))
	}
	return err
}

// Driver returns the driver "kmtronic".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "kmtronic",
		Equipment: "KMtronic relay boards with RS-232 or USB (R2S8CR and its like)",
		Facts:     "KMtronic R2S8CR, RS232 Eight Channel Relay Controller",
		Kinds:     []string{"circuit", "light"},
		Lines:     []line.Kind{line.Serial, line.TCP},
		Bus:       "kmtronic",
		Settings:  func() any { return &Settings{Channels: 8, Feedback: true} },
		Claims: func(settings any) []string {
			return []string{fmt.Sprintf("relay %d", settings.(*Settings).Relay)}
		},
		Probe: &devices.Probe{Protocol: "KMtronic", Bauds: []int{9600}, Ask: func(_ line.Kind, settings any) line.Exchange {
			return stateOf(settings.(*Settings).Channels)
		}},
		Poll: devices.Together(func(settings any) (string, []devices.Frames) {
			s := settings.(*Settings)
			if !s.Feedback {
				return "", nil // it is not asked
			}
			return "relays", []devices.Frames{{Asked: len(stateOf(s.Channels).Request), Answered: s.Channels}}
		}),
		New: func(env devices.Env, settings any) (any, error) {
			return &relay{line: env.Line, settings: *settings.(*Settings)}, nil
		},
	}
}

// encode makes the command that switches a relay.
func encode(relay int, on bool) []byte {
	if on {
		return []byte{head, byte(relay), 1}
	}
	return []byte{head, byte(relay), 0}
}

// find returns how to find the states of so many relays. There is nothing to tell them by but their
// number and that each is 00 or 01, so anything beside them makes them garbled.
func find(channels int) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		for _, b := range got {
			if b > 1 {
				return 0, 0, fmt.Errorf("%02X is no state of a relay", b)
			}
		}
		switch {
		case len(got) > channels:
			return 0, 0, fmt.Errorf("%d bytes came, and the board has %d relays: check channels", len(got), channels)
		case len(got) < channels:
			return 0, 0, nil
		}
		return 0, channels, nil
	}
}

// explain says in words what states mean.
func explain(f []byte) string { return fmt.Sprintf("relays from 1 on: % X", f) }

// stateOf asks a board for all its relays.
func stateOf(channels int) line.Exchange {
	return line.Exchange{
		Unit: board, Request: []byte{head, askState, 0}, Find: find(channels), Question: "relays",
		Timeout: timeout, Note: "read all relays", Explain: explain,
	}
}

// relay is one relay of a board. It implements devices.Switch.
type relay struct {
	line     *line.Line
	settings Settings

	mu   sync.Mutex
	told bool // something was sent
	last bool // what
}

var _ devices.Switch = (*relay)(nil)

// On implements devices.Switch. Where the board cannot be asked, it returns what was last sent
// together with an error that wraps devices.ErrSent: a value to be shown as assumed. Before anything
// was sent it returns a *devices.Refusal: the value is unknown, and not for want of an answer.
func (r *relay) On(ctx context.Context) (bool, error) {
	if r.settings.Feedback {
		return r.ask(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told {
		return false, &devices.Refusal{Reason: devices.Phrase{
			ZH: "该继电器板无法回读状态", EN: "This relay board cannot be read back",
		}}
	}
	return r.last, fmt.Errorf("kmtronic relay %d as last told: %w", r.settings.Relay, devices.ErrSent)
}

func (r *relay) ask(ctx context.Context) (bool, error) {
	f, err := r.line.Do(ctx, stateOf(r.settings.Channels))
	if err != nil {
		return false, fmt.Errorf("kmtronic read relay %d: %w", r.settings.Relay, err)
	}
	return f[r.settings.Relay-1] == 1, nil
}

// SetOn implements devices.Switch. Without feedback it returns devices.ErrSent.
func (r *relay) SetOn(ctx context.Context, on bool) error {
	word := "off"
	if on {
		word = "on"
	}
	_, err := r.line.Do(ctx, line.Exchange{
		Unit: board, Request: encode(r.settings.Relay, on), OneWay: true, Sure: true, Pause: pause,
		Key: fmt.Sprintf("relay %d", r.settings.Relay), Note: fmt.Sprintf("switch relay %d %s", r.settings.Relay, word),
	})
	if err != nil {
		return fmt.Errorf("kmtronic relay %d %s: %w", r.settings.Relay, word, err)
	}
	r.mu.Lock()
	r.told, r.last = true, on
	r.mu.Unlock()
	if !r.settings.Feedback {
		return fmt.Errorf("kmtronic relay %d %s: %w", r.settings.Relay, word, devices.ErrSent)
	}
	is, err := r.ask(ctx)
	if err != nil {
		return fmt.Errorf("after switching it %s: %w", word, err)
	}
	if is != on {
		return fmt.Errorf("kmtronic relay %d %s: %w", r.settings.Relay, word, &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
			ZH: "继电器板没有执行命令，请检查接线", EN: "The relay board did not do it; check its wiring",
		}})
	}
	return nil
}
