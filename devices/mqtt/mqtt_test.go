package mqtt

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFieldsOfJSON(t *testing.T) {
	v, err := Decode([]byte(`{"a":{"b":1.50,"c":"x","d":true,"e":null,"f":[1],"g":{"h":2}},"i":7}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a.b": "1.50", "a.c": "x", "a.d": "true", "a.g.h": "2", "i": "7"} {
		if got, ok := Field(v, path); !ok || got != want {
			t.Errorf("%s is %q, %v; want %q", path, got, ok, want)
		}
	}
	for _, path := range []string{"", "a", "a.e", "a.f", "a.x", "a.b.c", "i.j", "."} {
		if got, ok := Field(v, path); ok {
			t.Errorf("%q is %q", path, got)
		}
	}
	if _, err := Decode([]byte("{")); err == nil {
		t.Error("half an object was read")
	}
}

func TestNumbersAndWords(t *testing.T) {
	for text, want := range map[string]float64{"21.5": 21.5, "-3": -3, "ON": 1, "false": 0, "Open": 1, "closed": 0} {
		if got, err := Number(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "NaN", "+Inf", "21,5", "null", "1e999"} {
		if got, err := Number(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	for text, want := range map[string]int{"0": 0, "100": 100, "100.6": 100, "49.5": 50, "-0.4": 0} {
		if got, err := Percent(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"-5", "102", "255", "x"} {
		if got, err := Percent(text); err == nil {
			t.Errorf("%q is %d %%", text, got)
		}
	}
}

func TestAvailabilityComesInBothShapes(t *testing.T) {
	for payload, want := range map[string]string{"online": "true", "Offline": "false", `{"state":"online"}`: "true", `{"state":"offline"}`: "false", "true": "true", "false": "false"} {
		if got := Available(Online, []byte(payload)); len(got) != 1 || got[0].Value != want || got[0].Key != Online {
			t.Errorf("%s says %+v", payload, got)
		}
	}
	for _, payload := range []string{"", "perhaps", "{}", `{"state":null}`} {
		if got := Available(Online, []byte(payload)); got != nil {
			t.Errorf("%q says %+v", payload, got)
		}
	}
}

func TestTopicsThatCannotBePublishedTo(t *testing.T) {
	for _, topic := range []string{"", "a/+", "#", "/a", "a/", "a\x00b", string(make([]byte, 300))} {
		if CheckTopic("topic", topic) == nil {
			t.Errorf("%q is taken", topic)
		}
	}
	if err := CheckTopic("topic", "zigbee2mqtt/room/by the door"); err != nil {
		t.Error(err)
	}
}

// heardBy is a station that hears what a test says to it, on a line that is never opened.
func heardBy(t *testing.T) (*Station, func(news ...News)) {
	t.Helper()
	var next []News
	s, err := New(line.New(line.Config{ID: "things", Kind: line.MQTT}, slog.New(slog.NewTextHandler(io.Discard, nil))), Config{
		Unit: "lamp", Timeout: 50 * time.Millisecond, Read: func(line.Message) []News { return next },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, func(news ...News) {
		next = news
		s.hear(line.Message{Topic: "any"}.Frame())
	}
}

func TestOnlyNewsAfterTheQuestionAnswersIt(t *testing.T) {
	s, say := heardBy(t)
	any := func(string) bool { return true }
	say(News{Key: "power", Value: "ON"})
	if got, err := s.await(t.Context(), s.heard, "power", any); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("what was heard before counts: %q, %v", got, err)
	}
	asked := s.heard
	say(News{Key: "power", Value: "OFF"})
	if got, err := s.await(t.Context(), asked, "power", any); err != nil || got != "OFF" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.await(t.Context(), asked, "power", func(v string) bool { return v == "ON" }); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("another value than was asked for: %v", err)
	}
	no := &devices.Rejection{Code: "Unknown"}
	say(News{Err: no})
	if _, err := s.await(t.Context(), asked, "power", func(v string) bool { return v == "ON" }); !errors.Is(err, no) {
		t.Errorf("a refusal: %v", err)
	}
	say(News{Key: Answer(7), Value: "{}"})
	if _, err := s.await(t.Context(), asked, Answer(7), any); err != nil {
		t.Error(err)
	}
	if _, held := s.Held(Answer(7)); held {
		t.Error("an answer that was fetched is kept")
	}
}

func TestWhatIsGoneAnswersAtOnce(t *testing.T) {
	for _, key := range []string{Online, Host} {
		s, say := heardBy(t)
		say(News{Key: key, Value: "false"})
		if _, err := s.publish(t.Context(), "topic", ""); !errors.Is(err, line.ErrNoReply) {
			t.Errorf("%s: %v", key, err)
		}
		s.forget()
		if s.gone() != nil {
			t.Errorf("%s: a new connection has not heard that it is gone", key)
		}
	}
}

// Each news stirs once; what is said again in the same words does not, or asking would never end.
func TestOnlyChangesAreAReasonToAsk(t *testing.T) {
	s, say := heardBy(t)
	stirred := func() bool {
		select {
		case <-s.Changed():
			return true
		default:
			return false
		}
	}
	say(News{Key: "power", Value: "ON"})
	if !stirred() {
		t.Error("the first is no reason")
	}
	say(News{Key: "power", Value: "ON"})
	if stirred() {
		t.Error("the same again is a reason")
	}
	say(News{Key: Answer(1), Value: "x"})
	if stirred() {
		t.Error("an answer is a reason")
	}
	say(News{Key: "power", Value: "OFF"})
	if !stirred() {
		t.Error("a change is no reason")
	}
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	s, say := heardBy(t)
	for n := range uint16(1000) {
		say(News{Key: Answer(n), Value: "late"})
	}
	if len(s.held) > heldMost {
		t.Errorf("%d values are held", len(s.held))
	}
	say(News{Key: "power", Value: "ON"})
	if _, held := s.Held("power"); !held {
		t.Error("late answers push the state out")
	}
}

func FuzzField(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1}}`), "a.b")
	fuzz.Run(f, func(t *testing.T, payload []byte, path string) {
		v, err := Decode(payload)
		if err != nil {
			return
		}
		if text, ok := Field(v, path); ok {
			if p, err := Percent(text); err == nil && (p < 0 || p > 100) {
				t.Errorf("%q is %d %%", text, p)
			}
		}
	})
}
