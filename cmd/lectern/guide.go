package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/panel"
	"lectern/panel/guide"
	"lectern/scenes/build"
)

type guideVerb struct {
	Config string
	Lang   string
	HTML   bool
}

func (v *guideVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "guide",
		Short:   "Write the operating instruction (作业指导书) of a room from its file.",
		Example: "  lectern guide --config room.yaml --html >guide.html",
		RunE:    func(*cobra.Command, []string) error { return v.Run(t) },
	}
	f := c.Flags()
	pathFlag(f, &v.Config, "config", "", "Read the room from `FILE`. Left out: the demo room.")
	choiceFlag(f, &v.Lang, "lang", "Write in this `LANGUAGE`: zh or en. Left out: the room's own.", "zh", "en")
	f.BoolVar(&v.HTML, "html", false, "Write one page of HTML for the printer, in place of Markdown.")
	return c
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
