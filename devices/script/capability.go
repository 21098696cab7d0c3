package script

import (
	"context"
	"fmt"
	"maps"
	"time"

	"lectern/devices"
)

// capability makes what the device's kind needs of a talk.
func capability(t *talk) any {
	switch t.program.kind.part {
	case "switch":
		return &contact{t}
	case "dimmer":
		return &dimmed{t}
	case "motor":
		if t.tells("position") {
			return &positioner{mover{t}}
		}
		return &mover{t}
	case "projector":
		return &projector{t}
	case "matrix":
		return &matrix{t}
	case "player":
		if t.commands["volume"] != nil {
			return &soundPlayer{player{t}, volume{t}}
		}
		return &player{t}
	case "volume":
		return &volume{t}
	}
	return &sensor{t}
}

// Patience implements devices.Slow: a command may take as long as its reply may.
func (t *talk) Patience(property string) time.Duration {
	longest := time.Duration(0)
	for _, names := range [][]string{{property}, words(property)} {
		for _, name := range names {
			if m := t.commands[name]; m != nil {
				longest = max(longest, m.timeout)
			}
		}
	}
	if longest <= usualTime {
		return 0
	}
	return longest
}

// words lists the commands that set a property to a word.
func words(property string) []string {
	switch property {
	case "power":
		return onOff
	case "motion":
		return []string{"up", "stop", "down"}
	case "mute":
		return []string{"mute", "unmute"}
	case "transport":
		names := make([]string, len(transports))
		for i, t := range transports {
			names[i] = string(t)
		}
		return names
	}
	return []string{"select", "untie"}
}

// ask runs the queries that give the wanted values, each of them once. A value that no query gives is
// left out.
func (t *talk) ask(ctx context.Context, values map[string]string, want ...string) (map[string]captured, error) {
	got := make(map[string]captured)
	for _, q := range t.queries {
		needed := false
		for _, value := range want {
			needed = needed || q.gives[value] != ""
		}
		if !needed {
			continue
		}
		groups, err := t.do(ctx, q, values, "")
		if err != nil {
			return nil, err
		}
		for value, group := range q.gives {
			got[value] = groups[group]
		}
	}
	return got, nil
}

// set sends a command that sets a value ("" for an act that leaves none), and remembers what it was told. Where the equipment neither
// acknowledges nor can be asked, it returns devices.ErrSent. Key is what a newer command replaces.
func (t *talk) set(ctx context.Context, command string, values map[string]string, value, word, key string) error {
	m := t.commands[command]
	if m == nil {
		return &devices.Refusal{Reason: devices.Phrase{ZH: "该设备没有此功能", EN: "The equipment has no such command"}}
	}
	if key != "" {
		key = t.device + " " + key
	}
	if _, err := t.do(ctx, m, values, key); err != nil {
		return err
	}
	if value != "" {
		t.mu.Lock()
		t.told[key+value] = word
		t.mu.Unlock()
	}
	if m.reply == nil && !t.tells(value) {
		return fmt.Errorf("script %s: %s: %w", t.id, command, devices.ErrSent)
	}
	return nil
}

// last is what a value that nothing tells was set to, with an error that wraps devices.ErrSent: it is
// to be shown as assumed. Before anything was set it is a *devices.Refusal: unknown, and not for want
// of an answer.
func (t *talk) last(value, key string) (string, error) {
	if key != "" {
		key = t.device + " " + key
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	word, ok := t.told[key+value]
	if !ok {
		return "", unread()
	}
	return word, fmt.Errorf("script %s: %s as last told: %w", t.id, value, devices.ErrSent)
}

// forget makes a value unknown that was remembered.
func (t *talk) forget(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.told, value)
}

func unread() error {
	return &devices.Refusal{Reason: devices.Phrase{ZH: "该设备无法回读状态", EN: "This equipment cannot be asked for its state"}}
}

// percentage checks a percentage and puts it on the equipment's scale, under the value's name.
func (t *talk) percentage(value string, percent int) (map[string]string, error) {
	if percent < 0 || percent > 100 {
		return nil, fmt.Errorf("script %s: %s %d: it is 0 to 100", t.id, value, percent)
	}
	return map[string]string{value: t.toWire(value, percent)}, nil
}

// coded puts codes of the room file into the equipment's words, by the values' names.
func (t *talk) coded(values map[string]string) (map[string]string, error) {
	made := maps.Clone(values)
	for value, code := range values {
		wire, err := t.codeOf(value, code)
		if err != nil {
			return nil, fmt.Errorf("script %s: %s %s: %w", t.id, value, code, err)
		}
		made[value] = wire
	}
	return made, nil
}
