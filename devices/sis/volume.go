package sis

import (
	"context"
	"fmt"
	"math"

	"lectern/devices"
	"lectern/devices/line"
)

// VolumeSettings are what a room file says of a volume.
type VolumeSettings struct {
	Group     int    `yaml:"group" doc:"group master of a DSP, 1 to 64, whose fader is the volume; default 0: the equipment has one volume of its own (0 to 100)"`
	MuteGroup int    `yaml:"mute_group" doc:"group master that mutes; default the one after group"`
	FloorDB   int    `yaml:"floor_db" doc:"fader position in dB that is shown as 0 %; default -60"`
	CeilingDB int    `yaml:"ceiling_db" doc:"fader position in dB that is shown as 100 %; default 0"`
	Password  string `yaml:"password" doc:"of the telnet port, from ${ENV} or file:; the same for all devices on the line"`
	Tagged    bool   `yaml:"tagged" doc:"default true; false for old equipment whose answers to reads are bare numbers (no verbose mode 3), which then must be alone on its line"`
}

// Validate checks the settings.
func (s *VolumeSettings) Validate() error {
	switch {
	case s.Group < 0 || s.Group > 64 || s.MuteGroup < 0 || s.MuteGroup > 64:
		return fmt.Errorf("group %d and mute_group %d: they are 0 to 64", s.Group, s.MuteGroup)
	case s.Group == 0 && s.MuteGroup != 0:
		return fmt.Errorf("mute_group %d goes with a group", s.MuteGroup)
	case s.Group != 0 && s.muteGroup() == s.Group:
		return fmt.Errorf("mute_group %d is the group itself: a group master either fades or mutes", s.MuteGroup)
	case s.FloorDB < -100 || s.CeilingDB > 24 || s.CeilingDB-s.FloorDB < 10:
		// Below 10 dB one per cent would be less than the tenth of a dB that faders have.
		return fmt.Errorf("floor_db %d and ceiling_db %d: they lie between -100 and 24, at least 10 apart", s.FloorDB, s.CeilingDB)
	}
	return nil
}

func (s *VolumeSettings) muteGroup() int {
	if s.MuteGroup == 0 {
		return s.Group + 1
	}
	return s.MuteGroup
}

// tenths is the fader position, in tenths of a dB, that stands for a percentage: even steps in dB,
// as loudness is heard. 0 % is the floor, which is quiet but not silence; that is what mute is for.
func (s *VolumeSettings) tenths(percent int) int {
	return s.FloorDB*10 + int(math.Round(float64(percent*(s.CeilingDB-s.FloorDB))/10))
}

// percent is the reverse of tenths. A fader that somebody moved beyond the ends is at the end.
func (s *VolumeSettings) percent(tenths int) int {
	p := math.Round(float64(tenths-s.FloorDB*10) * 10 / float64(s.CeilingDB-s.FloorDB))
	return int(min(max(p, 0), 100))
}

// level is one volume and its mute. It implements devices.Volume and devices.Notifier.
type level struct {
	*client
	settings VolumeSettings
}

var (
	_ devices.Volume   = (*level)(nil)
	_ devices.Notifier = (*level)(nil)
)

func newLevel(env devices.Env, settings VolumeSettings) (*level, error) {
	l := &level{settings: settings}
	var err error
	l.client, err = newClient(env, manner{settings.Password, settings.Tagged}, func(m message) bool { return l.isVolume(m) || l.isMute(m) })
	return l, err
}

func (l *level) isVolume(m message) bool {
	if l.settings.Group == 0 {
		return m.kind == volume
	}
	return m.kind == group && m.to == l.settings.Group
}

func (l *level) isMute(m message) bool {
	if l.settings.Group == 0 {
		return m.kind == muted
	}
	return m.kind == group && m.to == l.settings.muteGroup()
}

// Volume implements devices.Volume.
func (l *level) Volume(ctx context.Context) (int, bool, error) {
	q := query{command: readVolume, note: "read the volume", accept: l.isVolume, bare: true}
	if l.settings.Group != 0 {
		q.command = readGroup(l.settings.Group)
	}
	v, err := l.ask(ctx, q)
	if err != nil {
		return 0, false, err
	}
	percent := v.value
	if l.settings.Group != 0 {
		percent = l.settings.percent(v.value)
	} else if percent < 0 || percent > 100 {
		return 0, false, fmt.Errorf("sis read the volume: %d: %w", percent, line.ErrGarbled)
	}
	q = query{command: readMute, note: "read the mute", accept: l.isMute, bare: true}
	if l.settings.Group != 0 {
		q.command = readGroup(l.settings.muteGroup())
	}
	m, err := l.ask(ctx, q)
	if err != nil {
		return 0, false, err
	}
	return percent, m.value != 0, nil
}

// SetVolume implements devices.Volume.
func (l *level) SetVolume(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("sis volume %d: it is 0 to 100", percent)
	}
	want, command, key := percent, setVolume(percent), "volume"
	if l.settings.Group != 0 {
		want = l.settings.tenths(percent)
		command, key = setGroup(l.settings.Group, want), fmt.Sprintf("group %d", l.settings.Group)
	}
	_, err := l.ask(ctx, query{
		command: command, key: key, note: fmt.Sprintf("set the volume to %d%%", percent),
		accept: func(m message) bool { return l.isVolume(m) && m.value == want },
	})
	return err
}

// SetMute implements devices.Volume.
func (l *level) SetMute(ctx context.Context, on bool) error {
	command, note := setMute(on), "unmute"
	if on {
		note = "mute"
	}
	if l.settings.Group != 0 {
		command = setGroup(l.settings.muteGroup(), digit(on))
	}
	_, err := l.ask(ctx, query{
		command: command, note: note,
		accept: func(m message) bool { return l.isMute(m) && (m.value != 0) == on },
	})
	return err
}
