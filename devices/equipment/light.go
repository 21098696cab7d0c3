package equipment

import (
	"context"
	"fmt"

	"lectern/devices"
)

// circuit is a switched circuit or light.
type circuit struct {
	base
	contact devices.Switch
	on      bool // as last read; with the turn
}

// NewCircuit makes a rack circuit: mains of other equipment.
func NewCircuit(spec Spec, contact devices.Switch) devices.Device {
	c := &circuit{contact: contact}
	c.setUp(spec, []devices.Property{{Name: "power", Kind: devices.KindBool, Settable: true}}, contact)
	c.read = c.ask
	return c
}

// NewLight makes a light that is on or off. It differs from a circuit in what people see of it.
func NewLight(spec Spec, contact devices.Switch) devices.Device { return NewCircuit(spec, contact) }

func (c *circuit) ask(ctx context.Context) (bool, error) {
	on, err := c.contact.On(ctx)
	q, err := believe(err)
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	c.on = on
	c.say("power", devices.Bool(on), q)
	return false, nil
}

// Set implements devices.Device.
func (c *circuit) Set(ctx context.Context, property string, v devices.Value) error {
	if property != "power" {
		return noSuch(property)
	}
	return c.carryOut(ctx, wish{
		property: property, value: v,
		send: func(ctx context.Context) error { return c.contact.SetOn(ctx, v.Bool()) },
		told: told(c.contact, func() { c.say(property, v, devices.Reported) }),
		met:  func() bool { return c.on == v.Bool() },
		unmet: func() devices.Phrase {
			if c.on {
				return devices.Phrase{ZH: "回路应答了，但仍为开:请检查触点和手动开关", EN: "The circuit acknowledged but reads on: check its contact and its manual switch"}
			}
			return devices.Phrase{ZH: "回路应答了，但仍为关:请检查触点和手动开关", EN: "The circuit acknowledged but reads off: check its contact and its manual switch"}
		},
	})
}

// told is what follows an acknowledgement that bears the value; nil where that of the equipment does not.
func told(capability any, say func()) func() {
	if e, ok := capability.(devices.Echo); ok && e.Echoes() {
		return say
	}
	return nil
}

// Level is one level of a dimmer.
type Level struct {
	ID      string // the word in the API
	Label   devices.Phrase
	Percent int // 1 to 100
}

// dimmer is a light with levels.
type dimmer struct {
	base
	levels []Level // off first
	lamp   devices.Dimmer

	// With the turn:
	percent int    // as last read
	asked   string // the level last asked for; it decides between two that are equally near
}

// levelSlack is how far, in percent, a read-back may be from a level and still be it: registers of
// 8 bits round.
const levelSlack = 2

// other is the word for a state that has none in the room file.
const other = "other"

// NewDimmer makes a dimmed light with the given levels beside off.
func NewDimmer(spec Spec, levels []Level, lamp devices.Dimmer) devices.Device {
	off := Level{ID: "off", Label: devices.Phrase{ZH: "关", EN: "Off"}}
	d := &dimmer{levels: append([]Level{off}, levels...), lamp: lamp}
	var words []devices.Option
	for _, l := range d.levels {
		words = append(words, devices.Option{Value: l.ID, Label: l.Label})
	}
	words = append(words, devices.Option{Value: other, State: true, Label: devices.Phrase{ZH: "其他亮度", EN: "Other"}})
	d.setUp(spec, []devices.Property{{Name: "level", Kind: devices.KindEnum, Settable: true, Continuous: true, Options: words}}, lamp)
	d.read = d.ask
	return d
}

// word names a percentage. One that is no level is not made into the nearest: that would be a lie.
// Dark is off and nothing else is, for a lamp at one percent is on.
func (d *dimmer) word(percent int) string {
	nearest, least := other, levelSlack+1
	for _, l := range d.levels {
		distance := max(percent-l.Percent, l.Percent-percent)
		if (percent == 0 || l.Percent == 0) && distance != 0 {
			continue
		}
		if distance < least || distance == least && l.ID == d.asked {
			nearest, least = l.ID, distance
		}
	}
	return nearest
}

func (d *dimmer) ask(ctx context.Context) (bool, error) {
	percent, err := d.lamp.Level(ctx)
	q, err := believe(err)
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	d.percent = percent
	d.say("level", devices.Word(d.word(percent)), q)
	return false, nil
}

// Set implements devices.Device.
func (d *dimmer) Set(ctx context.Context, property string, v devices.Value) error {
	for _, l := range d.levels {
		if property != "level" || l.ID != v.String() {
			continue
		}
		return d.carryOut(ctx, wish{
			property: property, value: v,
			send: func(ctx context.Context) error {
				d.asked = l.ID
				return d.lamp.SetLevel(ctx, l.Percent)
			},
			told: told(d.lamp, func() { d.say(property, v, devices.Reported) }),
			met:  func() bool { return d.word(d.percent) == l.ID },
			unmet: func() devices.Phrase {
				return devices.Phrase{
					ZH: fmt.Sprintf("调光器应答了，但亮度为 %d%%", d.percent),
					EN: fmt.Sprintf("The dimmer acknowledged but stands at %d %%", d.percent),
				}
			},
		})
	}
	return noSuch(property)
}
