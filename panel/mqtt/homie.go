package mqtt

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"lectern/devices"
)

// scenesNode is the node under which the scenes stand.
const scenesNode = "scenes"

// The types of $description, as the Homie convention 5 has them.
type (
	homieDevice struct {
		Homie   string               `json:"homie"`
		Version int64                `json:"version"`
		Name    string               `json:"name"`
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
	d := homieDevice{Homie: "5.0", Name: g.phrase(devices.Phrase(g.Cfg.Room.Name)), Nodes: make(map[string]homieNode)}
	for _, id := range g.Room.Devices() {
		node := homieNode{Name: id, Properties: map[string]homieProperty{
			"online": {Name: "online", Datatype: "boolean", Retained: true},
		}}
		for _, c := range g.Cfg.Devices {
			if c.ID == id {
				node.Name, node.Type = g.phrase(devices.Phrase(c.Name)), c.Kind
			}
		}
		for _, p := range g.Room.Properties(id) {
			node.Properties[p.Name] = homieOf(p)
		}
		d.Nodes[id] = node
	}
	scenes := homieNode{Name: "scenes", Type: "scenes", Properties: make(map[string]homieProperty)}
	for _, s := range g.Cfg.Scenes {
		scenes.Properties[s.ID] = homieProperty{
			Name: g.phrase(devices.Phrase(s.Name)), Datatype: "enum", Settable: true, Retained: true,
			Format: "run,cancel,waiting,running,asking,unwinding,finished,skipped,failed,cancelled,undone",
		}
	}
	if len(scenes.Properties) > 0 {
		d.Nodes[scenesNode] = scenes
	}
	// The version must change when the description does, and stay when it does not.
	sum := fnv.New64a()
	fmt.Fprint(sum, d)
	d.Version = int64(sum.Sum64() >> 12) // 52 bits: a JSON number that every client reads exactly
	return d
}

func (g *Gateway) phrase(p devices.Phrase) string { return p.In(g.Cfg.Room.Language) }

// homieOf describes one property.
func homieOf(p devices.Property) homieProperty {
	h := homieProperty{Name: p.Name, Settable: p.Settable, Retained: true, Unit: p.Unit}
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch p.Kind {
	case devices.KindBool:
		h.Datatype = "boolean"
	case devices.KindInteger, devices.KindNumber:
		h.Datatype = map[devices.Kind]string{devices.KindInteger: "integer", devices.KindNumber: "float"}[p.Kind]
		if p.Max > p.Min {
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
