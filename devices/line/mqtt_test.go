package line

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"lectern/devices/devicetest/fuzz"
)

func TestAMessageIsOneFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Message{
			Topic: rapid.StringN(0, 40, 400).Draw(t, "topic"), Payload: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload"),
			Retained: rapid.Bool().Draw(t, "retained"), Again: rapid.Bool().Draw(t, "again"),
		}
		frame := m.Frame()
		got, err := ParseMessage(frame)
		if err != nil || got.Topic != m.Topic || !bytes.Equal(got.Payload, m.Payload) || got.Retained != m.Retained || got.Again != m.Again {
			t.Fatalf("%+v is read as %+v, %v", m, got, err)
		}
		split := Messages().Split
		for n := range len(frame) {
			if split(frame[:n]) != 0 {
				t.Fatalf("%d of %d bytes are taken for a frame", n, len(frame))
			}
		}
		if n := split(append(frame, "more"...)); n != len(frame) {
			t.Fatalf("cut at %d of %d", n, len(frame))
		}
	})
}

func TestTheTraceReadsMessages(t *testing.T) {
	for want, m := range map[string]Message{
		"connected":                       {},
		"cmnd/lamp/POWER ON":              {Topic: "cmnd/lamp/POWER", Payload: []byte("ON")},
		"tele/lamp/LWT Online (retained)": {Topic: "tele/lamp/LWT", Payload: []byte("Online"), Retained: true},
		"state (subscribing again)":       {Topic: "state", Again: true},
	} {
		if got := ExplainMessage(m.Frame()); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
	long := Message{Topic: "zigbee2mqtt/lamp", Payload: bytes.Repeat([]byte("x"), 1000)}.Frame()
	if got := ExplainMessage(long[:40]); got != "zigbee2mqtt/lamp xxxxxxxxxxxxxxxxx" {
		t.Errorf("the beginning of a long one: %q", got)
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(Message{Topic: "a/b", Payload: []byte("ON")}.Frame())
	f.Add([]byte{0, 255, 255, 255, 255, 255, 255, 1})
	fuzz.Run(f, func(t *testing.T, frame []byte) {
		m, err := ParseMessage(frame)
		if err == nil && len(m.Topic)+len(m.Payload) > len(frame) {
			t.Errorf("%d bytes are read as more", len(frame))
		}
		_ = ExplainMessage(frame)
		if n := Messages().Split(frame); n < 0 || n > len(frame) {
			t.Errorf("cut %d of %d", n, len(frame))
		}
	})
}
