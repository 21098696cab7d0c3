package mqtt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lectern/configs"
	"lectern/devices"
)

// unbounded is what a sensor has for a bound that it does not know.
const unbounded = 1e9

// scenesNode is the node under which the scenes stand.
const scenesNode = "scenes"

// The types of $description, as the Homie convention 5 has them.
type (
	homieDevice struct {
		Homie   string               `json:"homie"`
		Version int64                `json:"version"`
		Name    string               `json:"name"`
		Type    string               `json:"type"`
		Nodes   map[string]homieNode `json:"nodes"`
	}
	homieNode struct {
		Name       string                   `json:"name"`
		Type       string                   `json:"type,omitempty"`
		Properties map[string]homieProperty `json:"properties"`
	}
	homieProperty struct {
		Name     string `json:"name"`
		Datatype string `json:"datatype"`
		Format   string `json:"format,omitempty"`
		Settable bool   `json:"settable"`
		Retained bool   `json:"retained"`
		Unit     string `json:"unit,omitempty"`
	}
)

// describe says what the room has.
func (g *Gateway) describe() homieDevice {
	d := homieDevice{Homie: "5.0", Name: g.face().names.of(g.face().cfg.Room.Name), Type: "lectern-room", Nodes: g.healthNodes()}
	for _, id := range g.Room.Devices() {
		name, kind := g.device(id)
		node := homieNode{Name: name, Type: kind, Properties: map[string]homieProperty{
			"online": {Name: g.face().names.word("online"), Datatype: "boolean", Retained: true},
		}}
		for _, p := range g.Room.Properties(id) {
			node.Properties[p.Name] = g.homieOf(p)
		}
		if g.thermometer(id) {
			node.Properties[bandProperty] = g.bandDescription()
		}
		d.Nodes[id] = node
	}
	scenes := homieNode{Name: g.face().names.in("场景", "Scenes"), Type: "scenes", Properties: make(map[string]homieProperty)}
	for _, s := range g.face().cfg.Scenes {
		scenes.Properties[s.ID] = homieProperty{
			Name: g.face().names.of(s.Name), Datatype: "enum", Settable: true, Retained: true,
			Format: "run,cancel,waiting,running,asking,unwinding,finished,skipped,failed,cancelled,undone",
		}
	}
	if len(scenes.Properties) > 0 {
		d.Nodes[scenesNode] = scenes
	}
	d.Nodes[serviceNode] = g.serviceOf()
	d.Version = g.memory.version(d, g.started)
	return d
}

// device is the name and kind of a device; a choice of sources stands in no list of the room file.
func (g *Gateway) device(id string) (name, kind string) {
	for _, d := range g.face().cfg.Devices {
		if d.ID == id {
			return g.face().names.of(d.Name), d.Kind
		}
	}
	name = g.face().names.in("投影机信号选择", "Projector source")
	if i := slices.Index(g.choosers(), id); len(g.choosers()) > 1 { // several screens, each with its choice
		name = fmt.Sprint(name, " ", i+1)
	}
	return name, "sources"
}

// choosers are the devices that stand in no list of the room file: a choice of sources each.
func (g *Gateway) choosers() []string {
	return slices.DeleteFunc(g.Room.Devices(), func(id string) bool {
		return slices.ContainsFunc(g.face().cfg.Devices, func(d configs.Device) bool { return d.ID == id })
	})
}

// homieOf describes one property.
func (g *Gateway) homieOf(p devices.Property) homieProperty {
	h := homieProperty{Name: g.face().names.word(p.Name), Settable: p.Settable, Retained: true, Unit: p.Unit}
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch p.Kind {
	case devices.KindBool:
		h.Datatype = "boolean"
	case devices.KindInteger, devices.KindNumber:
		h.Datatype = map[devices.Kind]string{devices.KindInteger: "integer", devices.KindNumber: "float"}[p.Kind]
		if p.Max > p.Min && (p.Min > -unbounded || p.Max < unbounded) {
			h.Format = number(p.Min) + ":" + number(p.Max)
			if p.Step > 0 {
				h.Format += ":" + number(p.Step)
			}
		}
	case devices.KindEnum:
		h.Datatype = "enum"
		words := make([]string, len(p.Options))
		for i, o := range p.Options {
			words[i] = o.Value
		}
		h.Format = strings.Join(words, ",")
	default:
		h.Datatype = "string"
	}
	return h
}
