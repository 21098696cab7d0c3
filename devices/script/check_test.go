package script

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

// good is a protocol for a circuit without fault; the cases below spoil one thing of it.
const good = `
protocol:
  id: rack
  frame: {end: '\r'}
  defaults: {unit: 1}
  greet: [{send: 'HI {unit}\r', reply: OK}]
  commands:
    "on": {send: 'ON {channel}\r', reply: OK}
    "off": {send: 'OFF {channel}\r', reply: OK}
  queries:
    state: {send: 'ST {channel}\r', reply: '(?P<power>[01])'}
  values:
    power: {words: {"0": off, "1": on}}
  errors: [{reply: ERR, code: ERR}]
  unasked: [{reply: 'NEWS.*'}]
channel: 3
`

func TestAGoodProtocolHasNoFault(t *testing.T) {
	if err := scripted(t, "circuit", good).Validate(); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfProtocolsSayWhereAndWhat(t *testing.T) {
	const inProtocol = "protocol"
	for _, c := range []struct {
		old, new string
		where    string
		want     string
	}{
		{"id: rack", "about: rack", "", "no protocol is named"},
		{`frame: {end: '\r'}`, "pause: 1s", "protocol/greet/0/reply", "has no frame"},
		{`frame: {end: '\r'}`, "frame: {length: 3}", "protocol/frame", "has no start"},
		{"frame:", "pause: 20s\n  frame:", "protocol/pause", "at most 10s"},
		{"frame:", "timeout: 1h\n  frame:", "protocol/timeout", "at most 5m"},
		{"frame:", "bus: x\n  frame:", "protocol/unasked", "on a bus nothing is heard"},
		{"frame:", "bus: x\n  frame:", "protocol/greet", "not greeted"},
		{"unit: 1", "power: 1", "protocol/defaults/power", "the name of a value"},
		{"{send: 'HI {unit}\\r', reply: OK}", "{optional: true}", "protocol/greet/0", "says nothing and waits for nothing"},
		{"'HI {unit}\\r', reply: OK", "HI, reply: OK, only: usb", "protocol/greet/0", "serial or tcp"},
		{`"on":`, `"up": {send: x}` + "\n    \"go\":", "protocol/commands/go", "there is no such command"},
		{`"on":`, `"up":`, "protocol/commands", `needs the command "on"`},
		{`'ON {channel}\r'`, `'ON {chanel}\r'`, "", `command "on" of protocol "rack" has {chanel}, which is no argument`},
		{`'ON {channel}\r'`, `'ON {channel:q}\r'`, "protocol/commands/on/send", "is no format"},
		{`send: 'ON {channel}\r'`, `send: x, hex: "01"`, "protocol/commands/on", "takes one of them"},
		{`send: 'ON {channel}\r'`, `hex: "01 {channel}"`, "protocol/commands/on/hex", "a number needs a format"},
		{`'ON {channel}\r', reply: OK`, `'ON\r', reply: (`, "protocol/commands/on/reply", "is no pattern"},
		{`'ON {channel}\r', reply: OK`, `'ON\r', timeout: 10m`, "protocol/commands/on/timeout", "at most 5m"},
		{`, reply: '(?P<power>[01])'`, "", "protocol/queries/state", "has no reply"},
		{`send: 'ST {channel}\r', `, "", "protocol/queries/state", "asks nothing"},
		{"(?P<power>[01])", "[01]", "protocol/queries/state", "gives no value"},
		{"state:", `other: {send: x, reply: "(?P<power>.)"}` + "\n    state:", "protocol/queries/state", `and so does "other"`},
		{"'(?P<power>[01])'", "'(?P<p>[01])', take: {power: q}", "protocol/queries/state/take/power", "has no group"},
		{"'(?P<power>[01])'", "'(?P<p>[01])', take: {pwr: p}", "protocol/queries/state/take/pwr", "there is no value"},
		{`{"0": off, "1": on}`, `{"0": off, "1": hot}`, "protocol/values/power/words/1", `cannot mean "hot"`},
		{`{"0": off, "1": on}`, `{"0": off}`, "protocol/values/power/words", "no word of power means on"},
		{`power: {words: {"0": off, "1": on}}`, "{}", "protocol/values", "nothing says what power means"},
		{"power: {words:", "pwr: {words:", "protocol/values/pwr", "there is no such value"},
		{"power: {words:", "power: {scale: [0, 1], words:", "protocol/values/power/scale", "is no number"},
		{"power: {words:", "level: {scale: [1, 1]}\n    power: {words:", "protocol/values/level/scale", "two numbers"},
		{"power: {words:", "power: {base: 8, words:", "protocol/values/power/base", "10 or 16"},
		{"{reply: ERR, code: ERR}", "{code: ERR}", "protocol/errors/0", "has no reply"},
		{"channel: 3", "chanel: 3", "", "{channel}, which is no argument"},
		{"channel: 3", "channel: 3\nlamp2: 1", "lamp2", "no placeholder {lamp2}"},
		{"channel: 3", "channel: 3\nX: 1", "X", "called by a-z"},
		{"channel: 3", "channel: 3\nsimulate: {as: x}", "simulate", "name of a driver"},
		{"channel: 3", "channel: " + strings.Repeat("9", 200), "channel", "too long"},
	} {
		t.Run(c.want, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatalf("nothing was changed by %q", c.old)
			}
			err := scripted(t, "circuit", text).Validate()
			several, ok := err.(interface{ Unwrap() []error })
			if !ok {
				t.Fatalf("%v", err)
			}
			for _, one := range several.Unwrap() {
				placed, ok := one.(devices.Placed)
				if !ok || strings.HasPrefix(placed.Error(), "protocol \"") != (len(placed.Where()) > 0 && placed.Where()[0] == inProtocol) && !strings.Contains(placed.Error(), "of protocol") {
					t.Errorf("%T does not say where: %v", one, one)
					continue
				}
				if strings.Contains(placed.Error(), c.want) && strings.Join(placed.Where(), "/") == c.where {
					return
				}
			}
			t.Errorf("at %s there is no %q in:\n%v", c.where, c.want, err)
		})
	}
}

func TestKindsNeedWhatTheyCannotDoWithout(t *testing.T) {
	head := "protocol:\n  id: x\n  frame: {end: '\\r'}\n"
	for _, c := range []struct{ kind, body, want string }{
		{"dimmer", "  commands: {}", `needs the command "level"`},
		{"curtain", "  commands: {up: {send: u}, down: {send: d}}", `needs the command "stop"`},
		{"curtain", "  commands: {up: {send: u}, down: {send: d}, stop: {send: s}, position: {send: 'p{position}'}}", "tells its position"},
		{"curtain", "  commands: {up: {send: u}, down: {send: d}, stop: {send: s}}\n  queries: {q: {send: q, reply: '(?P<position>.+)'}}", "position and motion together"},
		{"projector", "  commands: {on: {send: a}, off: {send: b}, input: {send: '{input}'}}\n  queries: {q: {send: q, reply: '(?P<power>.)'}}\n  values: {power: {words: {'1': on, '0': off}}}", "add lamp:"},
		{"matrix", "  commands: {}", `needs the command "select"`},
		{"matrix", "  commands: {select: {hex: '{input:02X} {output}'}}", "no bytes in hex"},
		{"player", "  commands: {volume: {send: 'v{volume}'}}", "needs volume, mute and unmute"},
		{"player", "  commands: {}", "at least one of play"},
		{"amplifier", "  commands: {volume: {send: v}}", `needs the command "mute"`},
		{"sensor", "  queries: {}", "a query that gives value"},
		{"camera", "  commands: {}", "cannot be scripted"},
	} {
		if err := scripted(t, c.kind, head+c.body).Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.kind, err, c.want)
		}
	}
}

func TestWhatADeviceOccupies(t *testing.T) {
	s := scripted(t, "circuit", good)
	if got := s.claims(); len(got) != 1 || got[0] != "the switch of channel 3 unit 1" || s.Bus() != "protocol rack" {
		t.Errorf("claims %q on %q", got, s.Bus())
	}
}

// FuzzProtocol holds the compiler to what it promises of any protocol: it ends, and what it finds good
// can be made.
func FuzzProtocol(f *testing.F) {
	f.Add(good, uint8(0))
	f.Add("protocol:\n  id: x\n  bus: y\n  commands: {level: {hex: 'A5 {level:02X} {sum8}'}}\n  values: {level: {scale: [0, 255]}}\n", uint8(2))
	fuzz.Run(f, func(t *testing.T, text string, n uint8) {
		if len(text) > 4096 {
			return
		}
		s := &Settings{}
		if yaml.Unmarshal([]byte(text), s) != nil {
			return
		}
		all := Driver().Kinds
		s.For(all[int(n)%len(all)], map[string][]string{"input": {"1", "2"}, "output": {"1"}})
		p, faults := compile(s)
		if len(faults) > 0 {
			return
		}
		talk := &talk{program: p, device: "device", told: make(map[string]string)}
		_ = (&replay{}).learn(talk)
		_ = capability(talk)
		_ = s.claims()
	})
}
