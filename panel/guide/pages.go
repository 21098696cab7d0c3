package guide

import (
	"slices"

	"lectern/configs"
)

// thing is what stands on a page: a device of the room file, or a choice of sources.
type thing struct {
	id, kind string
	name     configs.Name
	device   configs.Device // its zero value for a choice of sources
}

// page is a page of the panel, with what is on it.
type page struct {
	id     string
	title  string
	things []thing
	scenes []configs.Scene
}

// pagesOf lists the pages that the panel of the room has, as web/rooms.js does: a test in cmd/lectern
// holds the two against each other.
func (w *writer) pagesOf() []page {
	var here, inner []thing
	for _, d := range w.Cfg.Devices {
		t := thing{id: d.ID, kind: d.Kind, name: d.Name, device: d}
		switch d.Area {
		case "system":
			inner = append(inner, t)
		case "staff":
		default:
			here = append(here, t)
		}
	}
	var choosers []thing
	for _, s := range w.Cfg.Sources {
		if !slices.ContainsFunc(choosers, func(t thing) bool { return t.id == s.On }) {
			choosers = append(choosers, thing{id: s.On, kind: "sources", name: w.Cfg.ChooserName(s.On)})
		}
	}
	of := func(kinds ...string) []thing {
		return slices.DeleteFunc(slices.Clone(here), func(t thing) bool { return !slices.Contains(kinds, t.kind) })
	}
	projectors, screens, apart := of("projector"), of("screen"), slices.Contains(w.Cfg.Panel.Pages, "sources")
	curtains, projector := of("curtain"), slices.Concat(projectors, of("matrix"))
	if len(projectors) > 0 {
		projector = slices.Concat(projectors, screens, of("matrix"))
	} else {
		curtains = append(curtains, screens...)
	}
	all := []page{
		{id: "lights", title: w.word("page.lights"), things: of("light", "dimmer", "circuit")},
		{id: "curtains", title: w.word("page.curtains"), things: curtains},
		{id: "projector", title: w.word("page.projector"), things: projector},
		{id: "sources", title: w.word("page.sources")},
		{id: "sound", title: w.word("page.sound"), things: slices.DeleteFunc(of("amplifier"), func(t thing) bool { return w.led(t.id) })},
	}
	if apart {
		all[3].things = choosers
	} else {
		all[2].things = append(all[2].things, choosers...)
	}
	for _, t := range of("player", "recorder", "camera") {
		title := w.name(t.name)
		if t.kind != "camera" {
			title = w.word("page.operate", title)
		}
		all = append(all, page{id: t.id, title: title, things: []thing{t}})
	}
	all = slices.DeleteFunc(all, func(p page) bool { return len(p.things) == 0 })
	home := page{id: "home", title: w.word("page.home"), things: slices.Concat(choosers, of("sensor"))}
	system := page{id: "system", title: w.word("page.system"), things: inner}
	claimed := make(map[string]bool)
	for i := range all {
		for _, s := range w.Cfg.Scenes {
			ids := s.Devices()
			onIt := func(id string) bool { return all[i].has(id) }
			if s.Area == "main" && len(ids) > 0 && !claimed[s.ID] && !slices.ContainsFunc(ids, func(id string) bool { return !onIt(id) }) {
				all[i].scenes = append(all[i].scenes, s)
				claimed[s.ID] = true
			}
		}
	}
	for _, s := range w.Cfg.Scenes {
		if s.Area == "main" && !claimed[s.ID] {
			home.scenes = append(home.scenes, s)
		}
		if s.Area == "system" {
			system.scenes = append(system.scenes, s)
		}
	}
	list := append([]page{home}, all...)
	if wanted := w.Cfg.Panel.Pages; len(wanted) > 0 {
		list = list[:1]
		for _, id := range wanted {
			if i := slices.IndexFunc(all, func(p page) bool { return p.id == id }); i >= 0 {
				list = append(list, all[i])
			}
		}
	}
	if w.Cfg.Panel.PINs["system"] != "" {
		list = append(list, system)
	}
	return list
}

func (p page) has(id string) bool {
	return slices.ContainsFunc(p.things, func(t thing) bool { return t.id == id })
}

// of lists the things of some kinds on the page.
func (p page) of(kinds ...string) []thing {
	return slices.DeleteFunc(slices.Clone(p.things), func(t thing) bool { return !slices.Contains(kinds, t.kind) })
}

// page finds a page; ok is false where the room has none.
func (w *writer) page(id string) (p page, ok bool) {
	i := slices.IndexFunc(w.pages, func(p page) bool { return p.id == id })
	if i < 0 {
		return page{}, false
	}
	return w.pages[i], true
}

// led reports whether a source or player leads to the amplifier, so that its volume is set there.
func (w *writer) led(id string) bool {
	for _, s := range w.Cfg.Sources {
		if w.volumeOfSource(s) == id {
			return true
		}
	}
	return slices.ContainsFunc(w.Cfg.Devices, func(d configs.Device) bool {
		return (d.Kind == "player" || d.Kind == "recorder") && d.Area == "main" && w.volumeOf(d) == id
	})
}

// volumeOf is the device that sets the volume of a player: itself, or the amplifier that the room file
// names; "" for none.
func (w *writer) volumeOf(d configs.Device) string {
	if _, own := w.property(d.ID, "volume"); own {
		return d.ID
	}
	return d.Volume
}

// volumeOfSource is the same for a source.
func (w *writer) volumeOfSource(s configs.Source) string {
	if s.Volume != "" || s.Player == "" {
		return s.Volume
	}
	d, _ := w.device(s.Player)
	return w.volumeOf(d)
}

// device finds a device of the room file.
func (w *writer) device(id string) (configs.Device, bool) {
	i := slices.IndexFunc(w.Cfg.Devices, func(d configs.Device) bool { return d.ID == id })
	if i < 0 {
		return configs.Device{}, false
	}
	return w.Cfg.Devices[i], true
}

// called is the name of a device or of a choice of sources.
func (w *writer) called(id string) string {
	if d, ok := w.device(id); ok {
		return w.name(d.Name)
	}
	return w.name(w.Cfg.ChooserName(id))
}
