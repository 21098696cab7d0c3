// Package hyperdeck speaks the Blackmagic HyperDeck Ethernet protocol to disk recorders (TCP 9993;
// HyperDeck manual, "HyperDeck Ethernet Protocol").
package hyperdeck

import (
	"bytes"
	"context"

	"fmt"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const replyTime = 3 * time.Second

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "hyperdeck", Equipment: "Blackmagic HyperDeck disk recorders",
		Facts: "Blackmagic HyperDeck manual, section HyperDeck Ethernet Protocol 1.11",
		Kinds: []string{"recorder", "player"}, Lines: []line.Kind{line.TCP},
		Settings: func() any { return &Settings{Shuttle: 400} },
		New: func(e devices.Env, settings any) (any, error) {
			d := &Deck{line: e.Line, set: *settings.(*Settings), changed: make(chan struct{}, 1)}
			if err := e.Line.Use(line.Session{Name: "HyperDeck", Split: split, Greet: greet, Explain: explain}); err != nil {
				return nil, fmt.Errorf("hyperdeck: %w", err)
			}
			e.Line.Hear(d.hear)
			return d, nil
		},
	}
}

// Settings are the driver's settings.
type Settings struct {
	Shuttle int `yaml:"shuttle" doc:"speed of forward and back in percent of play, 100 to 1600; default 400"`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	if s.Shuttle < 100 || s.Shuttle > 1600 {
		return fmt.Errorf("shuttle %d: it is 100 to 1600", s.Shuttle)
	}
	return nil
}

// split cuts the stream into answers: one line, or a block up to an empty line where the first line
// ends with a colon.
func split(got []byte) int {
	first := bytes.IndexByte(got, '\n')
	if first < 0 {
		return 0
	}
	if !bytes.HasSuffix(bytes.TrimRight(got[:first], "\r"), []byte(":")) {
		return first + 1
	}
	for at := first + 1; ; {
		next := bytes.IndexByte(got[at:], '\n')
		if next < 0 {
			return 0
		}
		if len(bytes.TrimRight(got[at:at+next], "\r")) == 0 {
			return at + next + 1
		}
		at += next + 1
	}
}

// response is one answer of the deck.
type response struct {
	code   int
	text   string
	values map[string]string
}

// parse reads an answer.
func parse(frame []byte) (response, error) {
	lines := strings.Split(strings.ReplaceAll(string(frame), "\r", ""), "\n")
	number, text, _ := strings.Cut(lines[0], " ")
	code, err := strconv.Atoi(number)
	if err != nil || code < 100 || code > 999 {
		return response{}, fmt.Errorf("not an answer of a HyperDeck: %q", clip(lines[0]))
	}
	r := response{code: code, text: strings.TrimSuffix(text, ":"), values: make(map[string]string)}
	for _, l := range lines[1:] {
		if key, value, ok := strings.Cut(l, ":"); ok {
			r.values[key] = strings.TrimSpace(value)
		}
	}
	return r, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// isAnswer tells answers (1xx, 2xx) from what the deck says by itself (5xx), which may come between
// a command and its answer.
func isAnswer(frame []byte) bool {
	r, err := parse(frame)
	return err == nil && r.code < 500
}

// greet waits for the deck's introduction and asks it to speak up.
func greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	hello, err := do(ctx, line.Exchange{Note: "greeting", Timeout: replyTime, Accept: func([]byte) bool { return true }})
	if err != nil {
		return err
	}
	r, err := parse(hello)
	if err != nil {
		return err
	}
	if r.code != 500 {
		return fmt.Errorf("the deck refused the connection: %w", rejection(r))
	}
	answer, err := do(ctx, line.Exchange{
		Request: []byte("notify: transport: true remote: true slot: true\r\n"), Note: "notify", Timeout: replyTime, Accept: isAnswer,
	})
	if err != nil {
		return err
	}
	if r, err = parse(answer); err == nil && r.code >= 200 {
		return nil
	}
	return err // an old deck that cannot notify is polled
}

// Deck is one recorder.
type Deck struct {
	line    *line.Line
	set     Settings
	changed chan struct{}
}

var (
	_ devices.Player   = (*Deck)(nil)
	_ devices.Notifier = (*Deck)(nil)
)

// Changed implements devices.Notifier.
func (d *Deck) Changed() <-chan struct{} { return d.changed }

func (d *Deck) hear([]byte) {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// ask sends a command and reads its answer; want is the code of the answer that fits.
func (d *Deck) ask(ctx context.Context, command string, want int) (response, error) {
	frame, err := d.line.Do(ctx, line.Exchange{
		Request: []byte(command + "\r\n"), Note: command, Timeout: replyTime, Explain: explain, Accept: isAnswer,
	})
	if err != nil {
		return response{}, fmt.Errorf("hyperdeck %s: %w", command, err)
	}
	r, err := parse(frame)
	switch {
	case err != nil:
		return r, fmt.Errorf("hyperdeck %s: %w", command, err)
	case r.code < 200:
		return r, fmt.Errorf("hyperdeck %s: %w", command, rejection(r))
	case r.code != want:
		return r, fmt.Errorf("hyperdeck %s: answered %d %s", command, r.code, clip(r.text))
	}
	return r, nil
}

// rejection puts an error of the deck into words.
func rejection(r response) error {
	words := map[int]devices.Phrase{
		103: {ZH: "录像机不支持此操作", EN: "The recorder cannot do this"},
		104: {ZH: "磁盘已满", EN: "The disk is full"},
		105: {ZH: "没有磁盘", EN: "There is no disk in the recorder"},
		106: {ZH: "磁盘错误", EN: "The disk has an error"},
		107: {ZH: "没有可播放的片段", EN: "There is nothing to play"},
		109: {ZH: "已到尽头", EN: "There is no further clip"},
		110: {ZH: "没有输入信号,无法录制", EN: "There is no input signal to record"},
		111: {ZH: "录像机未允许远程控制,请在面板上按下REMOTE", EN: "Remote control is disabled: press REM on the recorder"},
		120: {ZH: "录像机拒绝连接,可能已被其他系统占用", EN: "The recorder refused the connection: another controller may have it"},
		150: {ZH: "录像机现在不能执行此操作", EN: "The recorder cannot do this now"},
	}
	reason, ok := words[r.code]
	if !ok {
		reason = devices.Phrase{ZH: "录像机拒绝执行", EN: "The recorder refused: " + clip(r.text)}
	}
	return &devices.Rejection{Code: strconv.Itoa(r.code), Reason: reason, Busy: r.code == 150}
}

// Transport implements devices.Player.
func (d *Deck) Transport(ctx context.Context) (devices.Transport, error) {
	r, err := d.ask(ctx, "transport info", 208)
	if err != nil {
		return "", err
	}
	if slot := r.values["slot id"]; slot == "none" {
		return devices.TransportNoMedia, nil
	}
	t, ok := transportOf(r.values["status"], r.values["speed"])
	if !ok {
		return "", fmt.Errorf("hyperdeck transport info: unknown status %q", clip(r.values["status"]))
	}
	return t, nil
}

// transportOf reads the status and speed of a transport info.
func transportOf(status, speed string) (devices.Transport, bool) {
	n, err := strconv.Atoi(speed)
	if err != nil {
		n = 0
	}
	switch status {
	case "record":
		return devices.TransportRecord, true
	case "preview", "stopped":
		return devices.TransportStop, true
	case "forward":
		return devices.TransportForward, true
	case "rewind":
		return devices.TransportBack, true
	case "play", "jog", "shuttle":
		switch {
		case n < 0:
			return devices.TransportBack, true
		case n > 100 || status == "shuttle":
			return devices.TransportForward, true
		case n == 0:
			return devices.TransportPause, true
		}
		return devices.TransportPlay, true
	}
	return "", false
}

// Transports implements devices.Player. A HyperDeck has no pause: stop keeps the picture.
func (*Deck) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportBack, devices.TransportForward,
		devices.TransportPrevious, devices.TransportNext, devices.TransportRecord,
	}
}

// Act implements devices.Player.
func (d *Deck) Act(ctx context.Context, t devices.Transport) error {
	var command string
	switch t {
	case devices.TransportPlay:
		command = "play"
	case devices.TransportStop:
		command = "stop"
	case devices.TransportRecord:
		command = "record"
	case devices.TransportForward:
		command = fmt.Sprintf("play: speed: %d", d.set.Shuttle)
	case devices.TransportBack:
		command = fmt.Sprintf("play: speed: -%d", d.set.Shuttle)
	case devices.TransportNext:
		command = "goto: clip id: +1"
	case devices.TransportPrevious:
		command = "goto: clip id: -1"
	default:
		return fmt.Errorf("a HyperDeck has no %s", t)
	}
	_, err := d.ask(ctx, command, 200)
	return err
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	r, err := parse(frame)
	if err != nil {
		return err.Error()
	}
	if status := r.values["status"]; status != "" {
		return fmt.Sprintf("%d %s: %s", r.code, r.text, status)
	}
	return fmt.Sprintf("%d %s", r.code, r.text)
}
