// Package hs08r drives the channels of HS-08R and HS-16R power sequencers (时序电源): 9600 baud, 8N1,
// protocol V1.1. Each channel is a circuit of its own here; in which order they go on and off is the
// business of a scene, which can show, stop and undo it, and not of the delays stored in the unit.
//
// What the units are like, and what it means here:
//
//   - The switch on the front must be OFF for the serial port to work.
//   - The RS-485 port only listens. A device on it has `feedback: false`; what it was last told is
//     then all that anyone knows.
//   - Acknowledgements say nothing of the channel. What a channel really does is in the status
//     alone, and equipment that minds reads it back.
//
// Two things the protocol description leaves open. It says that every frame has ten bytes, which
// leaves room for four channels in a status, and also that a status lists all channels one byte
// each: the setting channels tells which it is. And it describes twelve channels. Channels 13 to 15
// follow the same rule but are described nowhere; channel 16 cannot be had at all, as "16 off" is
// byte for byte "all off".
package hs08r

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// timeout bounds the wait for an answer. The manual gives none; two frames take 21 ms, and the unit
// answers after its relay has worked.
const timeout = 500 * time.Millisecond

// Settings are what a room file says of one channel.
type Settings struct {
	Unit     int  `yaml:"unit" doc:"address of the sequencer, 1 (as it comes) to 255"`
	Channel  int  `yaml:"channel" doc:"1 to 15; 12 by the manual. The number of channel 16 means all channels, so it cannot be switched alone"`
	Channels int  `yaml:"channels" doc:"how many channels the status of the unit lists: 8 (default), 12 or 16; 4 where the unit keeps to ten bytes. Channels above are switched but not read"`
	Feedback bool `yaml:"feedback" doc:"false where the line leads to the RS-485 port, which only listens; default true (RS-232)"`
}

// Validate checks the settings.
func (s *Settings) Validate() error {
	switch {
	case s.Unit < 1 || s.Unit > 255:
		return fmt.Errorf("unit %d: it is 1 to 255", s.Unit)
	case s.Channel == 16:
		return errors.New("channel 16: the command for it is the one for all channels; use channels 1 to 15")
	case s.Channel < 1 || s.Channel > 15:
		return fmt.Errorf("channel %d: it is 1 to 15", s.Channel)
	case s.Channels != 4 && s.Channels != 8 && s.Channels != 12 && s.Channels != 16:
		return fmt.Errorf("channels %d: a status lists 4, 8, 12 or 16 channels", s.Channels)
	}
	return nil
}

// Driver returns the driver "hs08r".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "hs08r",
		Equipment: "HS-08R and HS-16R power sequencers (时序电源)",
		Facts:     "HS-08R-16R 多功能电源时序器通讯协议 V1.1",
		Kinds:     []string{"circuit", "light"},
		Lines:     []line.Kind{line.Serial, line.TCP},
		Bus:       "hs08r",
		Feedback:  "reads back on RS-232; one-way on RS-485",
		Settings:  func() any { return &Settings{Unit: 1, Channels: 8, Feedback: true} },
		Claims: func(settings any) []string {
			s := settings.(*Settings)
			return []string{fmt.Sprintf("unit %d channel %d", s.Unit, s.Channel)}
		},
		Poll: devices.Together(func(settings any) (string, []devices.Frames) {
			s := settings.(*Settings)
			if !s.Feedback || s.Channel > s.Channels {
				return "", nil // it is not asked
			}
			return fmt.Sprintf("unit %d, %d channels", s.Unit, s.Channels), []devices.Frames{{Asked: frameLength, Answered: max(frameLength, statusAt+s.Channels)}}
		}),
		Unit: func(settings any) (string, bool) {
			s := settings.(*Settings)
			return fmt.Sprintf("unit %d", s.Unit), s.Unit == 1
		},
		Probe: &devices.Probe{Protocol: "HS-08R", Bauds: []int{9600}, Ask: func(_ line.Kind, settings any) line.Exchange {
			s := settings.(*Settings)
			return statusOf(byte(s.Unit), s.Channels)
		}},
		New: func(env devices.Env, settings any) (any, error) {
			return &channel{line: env.Line, settings: *settings.(*Settings)}, nil
		},
	}
}

// channel is one channel of a sequencer. It implements devices.Switch.
type channel struct {
	line     *line.Line
	settings Settings

	mu   sync.Mutex
	told bool // something was sent
	last bool // what
}

var _ devices.Switch = (*channel)(nil)

func (c *channel) unit() string { return fmt.Sprintf("unit %d", c.settings.Unit) }

// statusOf asks a unit for all its channels.
func statusOf(unit byte, channels int) line.Exchange {
	who := fmt.Sprintf("unit %d", unit)
	return line.Exchange{
		Unit: who, Request: encodeStatus(unit), Find: findStatus(unit, channels), Question: fmt.Sprintf("%d channels", channels),
		Timeout: timeout, Note: "read the channels of " + who, Explain: explain,
	}
}

// readable reports whether the unit can tell what the channel does.
func (c *channel) readable() bool {
	return c.settings.Feedback && c.settings.Channel <= c.settings.Channels
}

// On implements devices.Switch. Where the channel cannot be read, it returns what was last sent
// together with an error that wraps devices.ErrSent: a value to be shown as assumed. Before
// anything was sent it returns a *devices.Refusal: the value is unknown, and not for want of an
// answer.
func (c *channel) On(ctx context.Context) (bool, error) {
	if !c.readable() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.told {
			return false, &devices.Refusal{Reason: devices.Phrase{
				ZH: "该时序电源通道无法回读状态", EN: "This sequencer channel cannot be read back",
			}}
		}
		return c.last, fmt.Errorf("hs08r %s channel %d as last told: %w", c.unit(), c.settings.Channel, devices.ErrSent)
	}
	f, err := c.line.Do(ctx, statusOf(byte(c.settings.Unit), c.settings.Channels))
	if err != nil {
		return false, fmt.Errorf("hs08r read channel %d: %w", c.settings.Channel, err)
	}
	if refused(f) {
		return false, fmt.Errorf("hs08r read channel %d: %w", c.settings.Channel, rejection())
	}
	return f[statusAt+c.settings.Channel-1] == 1, nil
}

// SetOn implements devices.Switch. On the RS-485 port it returns devices.ErrSent.
func (c *channel) SetOn(ctx context.Context, on bool) error {
	word := "off"
	if on {
		word = "on"
	}
	x := line.Exchange{
		Unit: c.unit(), Request: encodeSwitch(byte(c.settings.Unit), byte(c.settings.Channel), on), Timeout: timeout,
		Note: fmt.Sprintf("switch channel %d of %s %s", c.settings.Channel, c.unit(), word), Explain: explain,
	}
	if c.settings.Feedback {
		x.Find = findAck(byte(c.settings.Unit))
	} else {
		x.OneWay = true
	}
	f, err := c.line.Do(ctx, x)
	if err != nil {
		return fmt.Errorf("hs08r channel %d %s: %w", c.settings.Channel, word, err)
	}
	if c.settings.Feedback && refused(f) {
		return fmt.Errorf("hs08r channel %d %s: %w", c.settings.Channel, word, rejection())
	}
	c.mu.Lock()
	c.told, c.last = true, on
	c.mu.Unlock()
	if !c.settings.Feedback {
		return fmt.Errorf("hs08r channel %d %s: %w", c.settings.Channel, word, devices.ErrSent)
	}
	return nil
}

// rejection is the unit's answer FF. The manual gives no reasons; the one that a fitter meets is the
// front-panel switch.
func rejection() error {
	return &devices.Rejection{Code: "FF", Reason: devices.Phrase{
		ZH: "时序电源拒绝执行，请确认其面板开关处于关闭(OFF)位置",
		EN: "The sequencer refused; see that the switch on its front is OFF",
	}}
}
