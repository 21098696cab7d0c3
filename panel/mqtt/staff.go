package mqtt

import (
	"encoding/json"
	"fmt"
	"time"

	"lectern/configs"
	"lectern/scenes/meeting"
	"lectern/scenes/room"
)

// bandProperty says how a temperature stands to the band that the room is to be kept in.
const bandProperty = "band"

// showStaff publishes how the work of property staff stands: whether the room is worked on, and the
// repair orders that are not closed. One that is opened comes into the list, one that is closed leaves
// it: who was away finds all of it there.
func (s *session) showStaff(now room.Staff) {
	orders := now.Orders
	if orders == nil {
		orders = []room.Order{}
	}
	b, err := json.Marshal(orders)
	if err != nil {
		s.Log.Error("writing the repair orders", "error", err)
		return
	}
	until := ""
	if !now.Maintenance.IsZero() {
		until = now.Maintenance.UTC().Format(time.RFC3339)
	}
	s.retain(controllerNode+"/maintenance", fmt.Append(nil, !now.Maintenance.IsZero()))
	s.retain(controllerNode+"/maintenance-until", text(until))
	s.retain(controllerNode+"/orders-unclosed", fmt.Append(nil, now.Unclosed))
	s.retain(controllerNode+"/orders", b)
}

// thermometer reports whether a device measures the temperature of the room.
func (g *Gateway) thermometer(id string) bool {
	for _, d := range g.face().cfg.Devices {
		if d.ID == id {
			return d.Measures == "temperature"
		}
	}
	return false
}

// showBand publishes how a temperature stands to its band.
func (s *session) showBand(p room.PropertyState) {
	if p.Property == "temperature" && s.thermometer(p.Device) {
		m := s.face().cfg.Meetings
		s.retain(p.Device+"/"+bandProperty, []byte(meeting.BandOf(p, m.Low, m.High)))
	}
}

// staffProperties describes what showStaff publishes.
func (g *Gateway) staffProperties() map[string]homieProperty {
	n := g.face().names
	return map[string]homieProperty{
		"maintenance":       {Name: n.in("维护", "Maintenance"), Datatype: "boolean", Retained: true},
		"maintenance-until": {Name: n.in("维护到", "Maintenance until"), Datatype: "string", Retained: true},
		"orders-unclosed":   {Name: n.in("未结维修单", "Repair orders not closed"), Datatype: "integer", Format: "0:", Unit: "#", Retained: true},
		"orders":            {Name: n.in("维修单", "Repair orders"), Datatype: "json", Format: `{"type":"array"}`, Retained: true},
	}
}

func (g *Gateway) bandDescription() homieProperty {
	return homieProperty{Name: g.face().names.in("室温规定", "Temperature band"), Datatype: "enum", Format: "in,below,above,unknown", Retained: true}
}

// staffEntities adds to what Home Assistant finds what showStaff and showBand publish.
func (g *Gateway) staffEntities(add func(key, name string, availability []component, c component)) {
	described, topic := g.staffProperties(), g.base+"/"+controllerNode+"/"
	add("controller_maintenance", described["maintenance"].Name, g.available(""), component{
		"platform": "binary_sensor", "state_topic": topic + "maintenance", "payload_on": "true", "payload_off": "false", "entity_category": "diagnostic",
	})
	add("controller_orders-unclosed", described["orders-unclosed"].Name, g.available(""), component{
		"platform": "sensor", "state_topic": topic + "orders-unclosed", "state_class": "measurement",
	})
	for _, d := range g.face().cfg.Devices {
		if d.Measures == "temperature" {
			add(d.ID+"_"+bandProperty, g.bandName(d), g.available(d.ID), enumSensor(g.base+"/"+d.ID+"/"+bandProperty, []string{
				meeting.InBand, meeting.BelowBand, meeting.AboveBand, meeting.NoBand,
			}))
		}
	}
}

func (g *Gateway) bandName(d configs.Device) string {
	return g.face().names.of(d.Name) + " " + g.bandDescription().Name
}
