package configs

import (
	"reflect"
	"time"
)

// defaults fills in what the file leaves out, so that nobody after the loader needs to know what
// that means.
func (c *checker) defaults() {
	for i := range c.room.Devices {
		d := &c.room.Devices[i]
		if d.Poll == 0 {
			d.Poll = poll(d.Kind)
		}
		if d.Kind == "projector" && d.Transition == nil {
			d.Transition = new(Transition)
		}
		if d.Kind == "sensor" && !c.has(path("/devices").at(i).key("unit")) {
			d.Unit = unit(d.Measures)
		}
		codes(d.Inputs)
		codes(d.Outputs)
	}
	for i := range c.room.AutoOff {
		if a := &c.room.AutoOff[i]; a.From != "" && a.To == "" {
			a.To = "06:00"
		}
	}
	c.fill(reflect.ValueOf(c.room).Elem(), "")
	idle := &c.room.Panel.Idle
	if idle.Staff == 0 {
		idle.Staff = idle.Area
	}
	idle.Most = max(idle.Most, idle.Lock, idle.Staff)
	if m := c.room.Staff.Mail; m != nil && m.Language == "" {
		m.Language = c.room.Room.Language
	}
}

// poll is how often a device of the kind is asked for its state. What moves is followed closely; at
// 9600 baud a bus with twenty devices carries it and has more than half of its time left.
func poll(kind string) time.Duration {
	switch kind {
	case "curtain", "screen", "player", "recorder":
		return time.Second
	case "circuit", "light", "dimmer", "projector":
		return 2 * time.Second
	case "matrix", "amplifier", "sensor":
		return 5 * time.Second
	}
	return 0
}

func unit(measures string) string {
	switch measures {
	case "temperature":
		return "°C"
	case "humidity":
		return "%"
	case "light":
		return "lx"
	}
	return ""
}

func codes(ports []Port) {
	for i := range ports {
		if ports[i].Code == "" {
			ports[i].Code = ports[i].ID
		}
	}
}
