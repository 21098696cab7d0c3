package mqtt

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"lectern/configs"
	"lectern/scenes/meeting"
)

const (
	serviceNode  = "service"
	serviceEvery = time.Second // between two looks at what staff have to do with the room
)

// Service is what property staff have to do with the room now, as far as it may be told outside: nothing
// of whose meeting it is, nothing that anybody wrote.
type Service struct {
	Phase meeting.Phase // of the meeting that has the room; Planned where none has
	Calls int           // repair orders from the panel that nobody has answered
}

// noMeeting is the phase of a room that no meeting has.
const noMeeting = "none"

// service publishes what a page of the whole building wants of the room beside its health.
func (s *session) service() {
	name := s.face().cfg.Room.Name
	s.retain(serviceNode+"/name-zh", text(cmp.Or(name.ZH, name.EN)))
	s.retain(serviceNode+"/name-en", text(cmp.Or(name.EN, name.ZH)))
	source := s.source()
	s.retain(serviceNode+"/source-zh", text(cmp.Or(source.ZH, source.EN)))
	s.retain(serviceNode+"/source-en", text(cmp.Or(source.EN, source.ZH)))
	if s.Service == nil {
		return
	}
	now := s.Service()
	phase := string(now.Phase)
	if now.Phase == meeting.Planned {
		phase = noMeeting
	}
	s.retain(serviceNode+"/phase", []byte(phase))
	s.retain(serviceNode+"/calls", fmt.Append(nil, now.Calls))
}

// source names what is chosen for the screens, where there are several the one after the other: on the
// broker a source is an id else, which nobody knows outside the room.
func (g *Gateway) source() (all configs.Name) {
	var zh, en []string
	for _, chooser := range g.choosers() {
		now, ok := g.Room.Get(chooser, "selected")
		if !ok || now.Value.IsZero() {
			continue
		}
		for _, one := range g.face().cfg.Sources {
			if one.ID == now.Value.String() {
				zh, en = append(zh, cmp.Or(one.Name.ZH, one.Name.EN)), append(en, cmp.Or(one.Name.EN, one.Name.ZH))
			}
		}
	}
	return configs.Name{ZH: strings.Join(zh, " / "), EN: strings.Join(en, " / ")}
}

// serviceOf describes what service publishes.
func (g *Gateway) serviceOf() homieNode {
	n := g.face().names
	plain := func(zh, en, datatype, format, unit string) homieProperty {
		return homieProperty{Name: n.in(zh, en), Datatype: datatype, Format: format, Unit: unit, Retained: true}
	}
	node := homieNode{Name: n.in("会议服务", "Meeting service"), Type: "service", Properties: map[string]homieProperty{
		"name-zh": plain("中文名称", "Name in Chinese", "string", "", ""),
		"name-en": plain("英文名称", "Name in English", "string", "", ""),

		"source-zh": plain("投影信号（中文）", "Source in Chinese", "string", "", ""),
		"source-en": plain("投影信号（英文）", "Source in English", "string", "", ""),
	}}
	if g.Service != nil {
		node.Properties["phase"] = plain("会议状态", "Phase of the meeting", "enum", "none,preparing,session,break,ended", "")
		node.Properties["calls"] = plain("未应答的报修", "Calls not answered", "integer", "0:", "#")
	}
	return node
}
