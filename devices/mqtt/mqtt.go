// Package mqtt is how drivers speak with equipment that lives on an MQTT broker. It knows topics and
// values and no maker: what a message says is told by the driver, which has a package of its own.
//
// A broker is no wire to the equipment. It takes a command and says nothing of what becomes of it, it
// hands out states that are old, and it forgets what nobody asked it to keep. So:
//
//   - A command is done when the equipment has said the value that was asked for, after the command was
//     published, and never because the broker has taken it.
//   - What can be asked is asked: a reading is what the equipment says after the question. What cannot be
//     asked is what it said last on this connection, once the broker has shown that it is alive.
//   - What was heard before the connection was lost is forgotten.
//   - Equipment whose last will says that it is gone is not reachable, which is not the same as off.
//   - Nothing is published with retain: the broker would send a command again whenever the equipment
//     comes back (Tasmota issue 2053, "ghost switching").
package mqtt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// Bus is what drivers of equipment on a broker have as their Bus: all of them share a line.
const Bus = "mqtt"

// heldMost bounds what is kept of one device; a device has a handful of values.
const heldMost = 64

// startTime is how long Start waits for news.
const startTime = 500 * time.Millisecond

// News is one thing that a message says.
type News struct {
	Key   string // what it is about: a property of the driver's own choosing
	Value string
	// Err is set where the message says that something was not done. With a Key it is the answer to the
	// question of that name, and without one it concerns whatever was asked last.
	Err error
}

// The keys of the news that the equipment is there ("true") or gone ("false"), and that what it hangs on is: a
// bridge, a gateway.
const (
	Online = "online"
	Host   = "host"
)

// answers begins the keys of answers to single questions, as Answer makes them.
const answers = "answer "

// Answer is the key of the answer to the question with a number. It is kept until it is fetched, and is no
// reason to ask again.
func Answer(number uint16) string { return answers + strconv.Itoa(int(number)) }

// Config says what a driver follows.
type Config struct {
	// Unit names the equipment in errors and in the trace: its topic.
	Unit string
	// Follow are the topic filters in which it speaks.
	Follow []string
	// Read says what a message on one of the filters tells; nothing for one that is not for this
	// equipment. It is called from the line's own goroutine and must not block.
	Read func(m line.Message) []News
	// Timeout is how long the equipment may take to answer.
	Timeout time.Duration
}

// Station is one piece of equipment on a broker. Its methods may be called from any goroutine.
type Station struct {
	line    *line.Line
	config  Config
	changed chan struct{}

	mu      sync.Mutex
	heard   uint64 // counts messages
	held    map[string]held
	refused held          // the last no without a key
	more    chan struct{} // closed when something was heard
}

// held is a value and when it was heard.
type held struct {
	News
	at   uint64
	when time.Time
}

// New takes a station on a line, before the line runs.
func New(l *line.Line, c Config) (*Station, error) {
	if err := l.Use(line.Messages()); err != nil {
		return nil, err //nolint:wrapcheck // says which line, and what it speaks
	}
	s := &Station{line: l, config: c, changed: make(chan struct{}, 1), held: make(map[string]held), more: make(chan struct{})}
	l.Follow(c.Follow...)
	l.Hear(s.hear)
	return s, nil
}

// Changed implements devices.Notifier for drivers: the equipment has said something new.
func (s *Station) Changed() <-chan struct{} { return s.changed }

// hear takes one message.
func (s *Station) hear(frame []byte) {
	m, err := line.ParseMessage(frame)
	if err != nil {
		return
	}
	if m.Topic == "" {
		s.forget()
		return
	}
	news := s.config.Read(m)
	if len(news) == 0 {
		return
	}
	s.mu.Lock()
	s.heard++
	fresh := false
	for _, n := range news {
		fresh = s.keep(n) || fresh
	}
	s.wake()
	s.mu.Unlock()
	if fresh {
		s.stir()
	}
}

// keep holds one piece of news, and says whether it makes asking again worth while. The caller holds mu.
func (s *Station) keep(n News) (fresh bool) {
	if n.Key == "" {
		s.refused = held{n, s.heard, time.Now()}
		return false
	}
	before, known := s.held[n.Key]
	if !known && len(s.held) >= heldMost {
		maps.DeleteFunc(s.held, func(key string, _ held) bool { return strings.HasPrefix(key, answers) }) // nobody waited for them any more
		if len(s.held) >= heldMost {
			return false
		}
	}
	s.held[n.Key] = held{n, s.heard, time.Now()}
	return !strings.HasPrefix(n.Key, answers) && (!known || before.Value != n.Value)
}

// wake wakes who waits. The caller holds mu.
func (s *Station) wake() {
	close(s.more)
	s.more = make(chan struct{})
}

func (s *Station) stir() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// forget drops what was heard on a connection that is gone.
func (s *Station) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.held)
	s.wake()
	s.stir()
}

// Send publishes a command to equipment that says nothing of it.
func (s *Station) Send(ctx context.Context, topic, payload string) error {
	if _, err := s.publish(ctx, topic, payload); err != nil {
		return err
	}
	return devices.ErrSent
}

// Tell publishes a command and returns when the equipment has said a value of key that is as wanted.
func (s *Station) Tell(ctx context.Context, topic, payload, key string, wanted func(value string) bool) error {
	asked, err := s.publish(ctx, topic, payload)
	if err != nil {
		return err
	}
	if _, err = s.await(ctx, asked, key, wanted); err != nil {
		return s.failed(topic, payload, err)
	}
	return nil
}

// Ask publishes a question and returns what the equipment then says of key.
func (s *Station) Ask(ctx context.Context, topic, payload, key string) (string, error) {
	asked, err := s.publish(ctx, topic, payload)
	if err != nil {
		return "", err
	}
	value, err := s.await(ctx, asked, key, func(string) bool { return true })
	if err != nil {
		return "", s.failed(topic, payload, err)
	}
	return value, nil
}

// Start publishes a command whose effect is seen by reading afterwards, and waits a moment for news of key, so
// that the reading finds them. That there are none is no error: what is at rest already has nothing to say.
func (s *Station) Start(ctx context.Context, topic, payload, key string) error {
	asked, err := s.publish(ctx, topic, payload)
	if err != nil {
		return err
	}
	moment, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	_, err = s.await(moment, asked, key, func(string) bool { return true })
	if err != nil && !errors.Is(err, line.ErrNoReply) {
		return s.failed(topic, payload, err)
	}
	return nil
}

// Order publishes a command and then a question with its payload, and returns what the equipment says of key after the
// command. Equipment works through what it is sent in order, so the answer shows that it has taken the command.
func (s *Station) Order(ctx context.Context, topic, payload, question, with, key string) (string, error) {
	asked, err := s.publish(ctx, topic, payload)
	if err != nil {
		return "", err
	}
	if _, err := s.publish(ctx, question, with); err != nil {
		return "", err
	}
	value, err := s.await(ctx, asked, key, func(string) bool { return true })
	if err != nil {
		return "", s.failed(topic, payload, err)
	}
	return value, nil
}

// Recall is for what cannot be asked: it returns what the equipment said last of key, once the broker has
// shown that it is alive by acknowledging a new subscription to the topic. What was said longer ago than most is
// not returned any more; 0 is for ever.
func (s *Station) Recall(ctx context.Context, topic, key string, most time.Duration) (string, error) {
	if _, err := s.line.Do(ctx, line.Exchange{
		Unit: s.config.Unit, Request: line.Message{Topic: topic, Again: true}.Frame(), OneWay: true, Note: "subscribing again to " + topic,
	}); err != nil {
		return "", err //nolint:wrapcheck // says it all
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.gone(); err != nil {
		return "", err
	}
	h, known := s.held[key]
	switch age := time.Since(h.when); {
	case !known:
		return "", s.failed(topic, "", fmt.Errorf("%w: it has not said its state since the connection was made, and the broker keeps none", line.ErrNoReply))
	case most > 0 && age > most:
		return "", s.failed(topic, "", fmt.Errorf("%w: it has said nothing for %s: look at its battery and its network", line.ErrNoReply, age.Round(time.Second)))
	case h.Err != nil:
		return "", s.failed(topic, "", h.Err)
	}
	return h.Value, nil
}

// Held returns what was last heard of key, without asking anybody.
func (s *Station) Held(key string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.held[key]
	return h.Value, ok && h.Err == nil
}

// publish publishes, and returns the count of messages heard before.
func (s *Station) publish(ctx context.Context, topic, payload string) (asked uint64, err error) {
	s.mu.Lock()
	asked, err = s.heard, s.gone()
	s.mu.Unlock()
	if err != nil {
		return asked, err
	}
	_, err = s.line.Do(ctx, line.Exchange{
		Unit: s.config.Unit, Request: line.Message{Topic: topic, Payload: []byte(payload)}.Frame(), OneWay: true,
		Note: strings.TrimSpace(topic + " " + payload),
	})
	return asked, err //nolint:wrapcheck // says it all
}

// gone is the error of equipment whose last will is out. The caller holds mu.
func (s *Station) gone() error {
	if s.held[Online].Value == "false" || s.held[Host].Value == "false" {
		return fmt.Errorf("line %s, %s: %w: the broker says that it has gone offline: look at its power and its network", s.line.ID(), s.config.Unit, line.ErrNoReply)
	}
	return nil
}

// await waits for news of key, after a count of messages, that are as wanted.
func (s *Station) await(ctx context.Context, after uint64, key string, wanted func(string) bool) (string, error) {
	limit := time.NewTimer(s.config.Timeout)
	defer limit.Stop()
	other := ""
	for {
		s.mu.Lock()
		h, refused, more, err := s.held[key], s.refused, s.more, s.gone()
		if h.at > after && strings.HasPrefix(key, answers) {
			delete(s.held, key)
		}
		s.mu.Unlock()
		switch {
		case err != nil:
			return "", err
		case h.at > after && h.Err != nil:
			return "", h.Err
		case h.at > after && wanted(h.Value):
			return h.Value, nil
		case refused.at > after:
			return "", refused.Err
		case h.at > after:
			other = h.Value
		}
		select {
		case <-more:
		case <-limit.C:
			if other != "" {
				return "", fmt.Errorf("%w of what was asked in %s: it says %s", line.ErrNoReply, s.config.Timeout, other)
			}
			return "", fmt.Errorf("%w in %s", line.ErrNoReply, s.config.Timeout)
		case <-ctx.Done():
			return "", fmt.Errorf("%w: %w", line.ErrNoReply, context.Cause(ctx))
		}
	}
}

func (s *Station) failed(topic, payload string, err error) error {
	if errors.Is(err, line.ErrDown) {
		return err
	}
	return fmt.Errorf("line %s, %s: %s: %w", s.line.ID(), s.config.Unit, strings.TrimSpace(topic+" "+payload), err)
}

// Available reads a message that tells whether equipment is there, in the shapes that are in use: a word, or an
// object with the word under "state".
func Available(key string, payload []byte) []News {
	word := string(payload)
	if v, err := Decode(payload); err == nil {
		if state, ok := Field(v, "state"); ok {
			word = state
		}
	}
	switch strings.ToLower(word) {
	case "online", "true":
		return []News{{Key: key, Value: "true"}}
	case "offline", "false":
		return []News{{Key: key, Value: "false"}}
	}
	return nil
}
