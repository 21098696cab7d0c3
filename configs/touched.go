package configs

import (
	"slices"
	"strings"
)

// Devices lists the devices that the scene's own steps set, sorted, each once.
func (s Scene) Devices() []string { return touched(s.Steps) }

// Devices lists the devices that choosing the source sets, sorted, each once.
func (s Source) Devices() []string { return owners(s.Set) }

func touched(steps []Step) []string {
	var ids []string
	for _, s := range steps {
		ids = append(append(ids, owners(s.Set)...), touched(s.Together)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func owners[V any](set map[string]V) []string {
	var ids []string
	for name := range set {
		id, _, _ := strings.Cut(name, ".")
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// ChooserName is what people read above a choice of sources (see Source.On): that of a room with
// several is named after the projector that it is for.
func (r *Room) ChooserName(on string) Name {
	var beams []Name
	alone := true
	for _, src := range r.Sources {
		if src.On != on {
			alone = false
			continue
		}
		for _, owner := range src.Devices() {
			for _, d := range r.Devices {
				if d.ID == owner && d.Kind == "projector" && !slices.Contains(beams, d.Name) {
					beams = append(beams, d.Name)
				}
			}
		}
	}
	if alone || len(beams) != 1 {
		return Name{ZH: "投影机信号选择", EN: "Projector source"}
	}
	return Name{ZH: beams[0].ZH + "信号选择", EN: beams[0].EN + " source"}
}
