package main

import (
	"fmt"
	"log/slog"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/panel"
	"lectern/panel/guide"
	"lectern/scenes/build"
)

type guideVerb struct {
	Config string `help:"Room file. Left out: the demo room." type:"path" placeholder:"FILE"`
	Lang   string `help:"zh or en; left out, the room's own language." enum:",zh,en" default:""`
	HTML   bool   `help:"One page of HTML for the printer, in place of Markdown."`
}

// Run prints the operating instruction of a room.
func (v *guideVerb) Run(t terminal) error {
	cfg, err := load(v.Config)
	if err != nil {
		return err
	}
	d, err := writeGuide(cfg, v.Lang)
	if err != nil {
		return err
	}
	if v.HTML {
		return d.HTML(t.out) //nolint:wrapcheck // says what it was writing
	}
	return d.Markdown(t.out) //nolint:wrapcheck // says what it was writing
}

// writeGuide writes the guide of a room file. The room is built for it, so that the guide has what the
// equipment really can do, and not run.
func writeGuide(cfg *configs.Room, language string) (guide.Document, error) {
	words, err := panel.Words()
	if err != nil {
		return guide.Document{}, err //nolint:wrapcheck // says what it was reading
	}
	parts, err := build.Build(cfg, build.Options{Find: all.Find, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return guide.Document{}, fmt.Errorf("building the room: %w", err)
	}
	return guide.Write(guide.Config{Cfg: cfg, Room: parts.Room, Engine: parts.Engine, Words: words, Language: language}), nil
}
