package sis

import (
	"context"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// RecorderSettings are what a room file says of a recorder.
type RecorderSettings struct {
	Password string `yaml:"password" doc:"of the telnet port, from ${ENV} or file:; the same for all devices on the line"`
}

// startTime bounds the answer to a command of the recorder, which opens and closes a file before it.
// The tables give no number.
const startTime = 5 * time.Second

// The states of a recorder.
const (
	recorderStopped = iota
	recorderRuns
	recorderPaused
)

// recording is the recorder of an SMP. It plays nothing. It implements devices.Player and
// devices.Notifier.
//
// The command tables have the answer to the question for the state as a bare digit, whatever the
// verbose mode; in mode 3 recorders in the field tag it. Both are read.
type recording struct {
	*client
}

var (
	_ devices.Player   = (*recording)(nil)
	_ devices.Notifier = (*recording)(nil)
	_ devices.Slow     = (*recording)(nil)
)

func newRecording(env devices.Env, settings RecorderSettings) (*recording, error) {
	c, err := newClient(env, manner{settings.Password, true}, isRecorder)
	return &recording{c}, err
}

func isRecorder(m message) bool { return m.kind == recorder }

// Patience implements devices.Slow: a recorder opens and closes its files.
func (*recording) Patience(string) time.Duration { return 2 * startTime }

// Transport implements devices.Player.
func (r *recording) Transport(ctx context.Context) (devices.Transport, error) {
	m, err := r.ask(ctx, query{
		command: readRecorder, note: "read the recorder",
		accept: func(m message) bool { return isRecorder(m) || m.kind == number },
	})
	if err != nil {
		return "", err
	}
	switch m.value {
	case recorderStopped:
		return devices.TransportStop, nil
	case recorderRuns:
		return devices.TransportRecord, nil
	case recorderPaused:
		return devices.TransportPause, nil
	}
	return "", fmt.Errorf("sis read the recorder: state %d: %w", m.value, line.ErrGarbled)
}

// Transports implements devices.Player.
func (*recording) Transports() []devices.Transport {
	return []devices.Transport{devices.TransportStop, devices.TransportPause, devices.TransportRecord}
}

// Act implements devices.Player.
func (r *recording) Act(ctx context.Context, t devices.Transport) error {
	state, ok := map[devices.Transport]int{
		devices.TransportStop: recorderStopped, devices.TransportRecord: recorderRuns, devices.TransportPause: recorderPaused,
	}[t]
	if !ok {
		return fmt.Errorf("an Extron SMP cannot be asked for %q", t)
	}
	_, err := r.ask(ctx, query{
		command: setRecorder(state), note: string(t), limit: startTime,
		// Another state is somebody at the front panel.
		accept: func(m message) bool { return isRecorder(m) && m.value == state },
	})
	return err
}
