package mqtt

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestBadInputIsRefusedWithAReason(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		for _, bad := range []struct{ property, payload, reason string }{
			{"spot/level", "glaring", "it takes one of off, low, high"},
			{"spot/level", "other", "it takes one of"}, // only ever reported
			{"spot/level", "\xff\xfe", "no UTF-8"},
			{"spot/level", `{"state":"ON"}`, "it takes one of"},
			{"spot/level", strings.Repeat("x", 1<<20-100), "at most 1024 are taken"},
			{"spot/hours", "a lot", "a whole number from 0 to 100 in steps of 5 h"},
			{"spot/hours", "7", "a whole number from 0 to 100 in steps of 5 h"},
			{"spot/hours", "50.5", "a whole number"},
			{"spot/hours", "105", "a whole number"},
			{"spot/hours", "NaN", "a whole number"},
			{"spot/hours", "1e400", "a whole number"},
			{"spot/warmth", "6", "a number from -5 to 5"},
			{"spot/warmth", "Infinity", "a number from -5 to 5"},
			{"spot/title", strings.Repeat("长", 100), "a text of at most 256 bytes"},
			{"spot/colour", "red", "no property"},
			{"lamp/level", "low", "no such device"},
			{"scenes/dim", "stop", "run or cancel"},
			{"scenes/nothing", "run", "no scene"},
		} {
			r := f.outcomes(t, bad.property, bad.payload, "refused")
			if !strings.Contains(r.Reason, bad.reason) || strings.Contains(r.ReasonZH, " it ") || len(r.Value) > payloadMax {
				t.Errorf("%s = %.40q: %+v", bad.property, bad.payload, r)
			}
		}
		if did := h.lamp.done(); len(did) > 0 {
			t.Errorf("did %v", did)
		}
		f.outcomes(t, "spot/level", "low", "accepted", "done") // it is none the worse
	})
}

// A client gone wild: everything is answered, and what was accepted has exactly one final word.
func TestAFloodIsAnsweredInFull(t *testing.T) {
	each(t, func(t *testing.T, v *venue) {
		const sets = 1000 // what comes of them is less than the 8192 messages that the embedded broker holds for a slow subscriber
		h, f := show(t, v)
		wild := listen(t, v, "nothing")
		words := []string{"low", "off", "high", "glaring", "deaf", "\xff"}
		for i := range sets {
			property := "spot/level"
			if i%7 == 0 {
				property = "lamp/level"
			}
			done(t, wild.client.Publish("homie/5/hall/"+property+"/set", 1, false, words[i%len(words)]))
		}
		tally := func() (accepted, refused, final int) {
			for _, topic := range []string{"homie/5/hall/spot/level/$result", "homie/5/hall/lamp/level/$result"} {
				open := 0
				for _, r := range f.results(topic) {
					switch {
					case r.Outcome == "accepted":
						accepted++
						open++
					case r.Outcome == "refused" && r.Reason != "Too bright":
						refused++
					default:
						final++
						open--
					}
				}
				if open < 0 {
					t.Errorf("a final word that nobody waited for")
				}
			}
			return accepted, refused, final
		}
		f.until(t, "all are answered", func() bool {
			accepted, refused, final := tally()
			return accepted+refused == sets && final == accepted
		})
		f.mu.Lock()
		defer f.mu.Unlock()
		accepted, refused, _ := tally()
		t.Logf("of %d sets %d were accepted and %d turned away", sets, accepted, refused)
		if h.gateway.unanswered.Load() != 0 || len(h.lamp.done()) == 0 {
			t.Errorf("%d without an answer, %d done", h.gateway.unanswered.Load(), len(h.lamp.done()))
		}
		journaled := h.journal.Latest(0, 2*sets)
		if n := len(journaled) - accepted; n > 200 {
			t.Errorf("%d refusals in the journal push out the rest", n)
		}
	})
}

// Whatever comes, on whatever topic: it is answered once or waits to be done, and the answer can be read.
func FuzzReceive(f *testing.F) {
	f.Add("homie/5/hall/spot/level/set", []byte("low"), false)
	f.Add("homie/5/hall/spot/level/set", []byte("low"), true)
	f.Add("homie/5/hall/\xff/level/set", []byte{0xff}, false)
	f.Add("homie/5/hall/a/b/c/set", []byte("x"), false)
	f.Add("homie/5/hall//set/set", []byte(strings.Repeat("x", 2000)), false)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		g := newHall(t, &venue{}, "hall").gateway
		g.receive(topic, payload, retained)
		queued := 0
		for _, q := range g.queues {
			queued += len(q)
		}
		levels := strings.Split(strings.TrimPrefix(topic, "homie/5/hall/"), "/")
		want := 1
		if len(levels) != 3 || levels[2] != "set" || len(payload) == 0 || !utf8.ValidString(topic) || strings.ContainsAny(topic, "#+\x00") {
			want = 0
		}
		if queued+len(g.answers) != want {
			t.Errorf("%q on %q: %d to be done, %d answered", payload, topic, queued, len(g.answers))
		}
		for len(g.answers) > 0 {
			var r result
			if m := <-g.answers; json.Unmarshal(m.payload, &r) != nil || !utf8.Valid(m.payload) || r.Outcome != "refused" || r.Reason == "" || r.ReasonZH == "" {
				t.Errorf("%s", m.payload)
			}
		}
	})
}

// Whatever is written as a value: what the room takes is what Homie allows for the property, and is what
// then stands on the topic.
func TestWhatIsTakenIsWhatTheConventionAllows(t *testing.T) {
	h := newHall(t, &venue{}, "hall")
	var d described
	for _, p := range h.lamp.Properties() {
		b, err := json.Marshal(h.gateway.homieOf(p))
		if err != nil {
			t.Fatal(err)
		}
		d = described{}
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(err)
		}
		if faults := formatFaults(d); faults != nil {
			t.Error(faults)
		}
		rapid.Check(t, func(t *rapid.T) {
			raw := rapid.OneOf(rapid.SampledFrom([]string{"off", "low", "0", "35", "1e1", "0x10", "-5", "4.25", "", "true"}), rapid.String()).Draw(t, "payload")
			v, err := p.Check(raw)
			if err != nil || !utf8.ValidString(raw) || strings.Contains(raw, "\x00") {
				return
			}
			if fault := payloadFault(d, string(homie(v))); fault != "" {
				t.Errorf("%s takes %q: %s", p.Name, raw, fault)
			}
		})
	}
}
