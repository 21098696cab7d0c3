package kramer

import (
	"context"
	"errors"
	"fmt"
	"math"

	"lectern/devices"
)

// VolumeSettings are what a room file says of a volume.
type VolumeSettings struct {
	Machine int    `yaml:"machine" doc:"number of the machine, 1 to 99, where several share a line; default 0: not named"`
	Channel int    `yaml:"channel" doc:"the audio output, 1 (default) or more"`
	Stage   string `yaml:"stage" doc:"what the model calls the output stage in AUD-LVL: 1 (default) or OUT, as its manual has it"`
	Floor   int    `yaml:"floor" doc:"level that is shown as 0 %, in the model's own units, dB on most; default -60"`
	Ceiling int    `yaml:"ceiling" doc:"level that is shown as 100 %; default 0"`
}

// Validate checks the settings.
func (s *VolumeSettings) Validate() error {
	switch {
	case s.Machine < 0 || s.Machine > 99:
		return fmt.Errorf("machine %d: it is 1 to 99, or 0 to leave it out", s.Machine)
	case s.Channel < 1 || s.Channel > most:
		return fmt.Errorf("channel %d: it is 1 to %d", s.Channel, most)
	case s.Stage != "1" && s.Stage != "OUT":
		return fmt.Errorf("stage %q: it is 1 or OUT", s.Stage)
	case s.Floor < -999 || s.Ceiling > 999:
		return errors.New("floor and ceiling lie between -999 and 999")
	case s.Ceiling-s.Floor < 20:
		// Levels are whole numbers: with fewer steps a slider would stand beside where it was put.
		return fmt.Errorf("floor %d and ceiling %d: they are at least 20 apart", s.Floor, s.Ceiling)
	}
	return nil
}

// level is the step that stands for a percentage: even steps in dB, as loudness is heard.
func (s *VolumeSettings) level(percent int) int {
	return s.Floor + int(math.Round(float64(percent*(s.Ceiling-s.Floor))/100))
}

// percent is the reverse of level. A level that somebody set beyond the ends is at the end.
func (s *VolumeSettings) percent(level int) int {
	p := math.Round(float64(100*(level-s.Floor)) / float64(s.Ceiling-s.Floor))
	return int(min(max(p, 0), 100))
}

// fader is one volume and its mute. It implements devices.Volume and devices.Notifier.
type fader struct {
	*client
	settings VolumeSettings
}

var (
	_ devices.Volume   = (*fader)(nil)
	_ devices.Notifier = (*fader)(nil)
)

func newFader(env devices.Env, settings VolumeSettings) (*fader, error) {
	v := &fader{settings: settings}
	var err error
	v.client, err = newClient(env, settings.Machine, func(m message) bool { return v.isLevel(m) || v.isMute(m) })
	return v, err
}

func (v *fader) isLevel(m message) bool {
	return m.kind == volume && m.channel == v.settings.Channel && m.stage == "OUT"
}

func (v *fader) isMute(m message) bool { return m.kind == muted && m.channel == v.settings.Channel }

// Volume implements devices.Volume.
func (v *fader) Volume(ctx context.Context) (int, bool, error) {
	level, err := v.ask(ctx, query{
		command: readLevel(v.settings.Stage, v.settings.Channel), word: "AUD-LVL", note: "read the volume", accept: v.isLevel,
	})
	if err != nil {
		return 0, false, err
	}
	mute, err := v.ask(ctx, query{command: readMute(v.settings.Channel), word: "MUTE", note: "read the mute", accept: v.isMute})
	if err != nil {
		return 0, false, err
	}
	return v.settings.percent(level.value), mute.value != 0, nil
}

// SetVolume implements devices.Volume.
func (v *fader) SetVolume(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("kramer volume %d: it is 0 to 100", percent)
	}
	want := v.settings.level(percent)
	_, err := v.ask(ctx, query{
		command: setLevel(v.settings.Stage, v.settings.Channel, want), word: "AUD-LVL",
		key:    fmt.Sprintf("%slevel %d", machine(v.settings.Machine), v.settings.Channel),
		note:   fmt.Sprintf("set the volume to %d%%", percent),
		accept: func(m message) bool { return v.isLevel(m) && m.value == want },
	})
	return err
}

// SetMute implements devices.Volume.
func (v *fader) SetMute(ctx context.Context, on bool) error {
	note := "unmute"
	if on {
		note = "mute"
	}
	_, err := v.ask(ctx, query{
		command: setMute(v.settings.Channel, on), word: "MUTE", note: note,
		accept: func(m message) bool { return v.isMute(m) && (m.value != 0) == on },
	})
	return err
}
