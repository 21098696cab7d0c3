package equipment

import (
	"context"
	"errors"
	"fmt"

	"lectern/devices"
)

// circuit is a switched circuit or light.
type circuit struct {
	base
	contact devices.Switch
	on      bool // as last read
	oneWay  bool // the contact cannot be read
}

// NewCircuit makes a rack circuit: mains of other equipment.
func NewCircuit(spec Spec, contact devices.Switch) devices.Device {
	c := &circuit{contact: contact}
	c.init(spec, contact)
	c.read = c.ask
	return c
}

// NewLight makes a light that is on or off. It differs from a circuit in what people see of it.
func NewLight(spec Spec, contact devices.Switch) devices.Device { return NewCircuit(spec, contact) }

// Properties implements devices.Device.
func (*circuit) Properties() []devices.Property {
	return []devices.Property{{Name: "power", Kind: devices.KindBool, Settable: true}}
}

func (c *circuit) ask(ctx context.Context) (bool, error) {
	on, err := c.contact.On(ctx)
	if errors.Is(err, devices.ErrSent) {
		// One-way equipment answers with what it was last told, and says so by this error; before
		// anything was told it is not known.
		if c.oneWay {
			c.report.Report("power", devices.Bool(on), devices.Assumed)
		}
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	c.on = on
	c.report.Report("power", devices.Bool(on), devices.Reported)
	return false, nil
}

// Set implements devices.Device.
func (c *circuit) Set(ctx context.Context, property string, v devices.Value) error {
	if property != "power" {
		return noSuch(property)
	}
	return c.set(ctx, func() error {
		err := c.contact.SetOn(ctx, v.Bool())
		if errors.Is(err, devices.ErrSent) {
			c.oneWay = true
			c.report.Report("power", v, devices.Assumed)
			return err
		}
		if err != nil {
			return fmt.Errorf("switching: %w", err)
		}
		return c.confirm(ctx, func() bool { return c.on == v.Bool() }, func() error {
			return &devices.Rejection{
				Code:   "read-back",
				Reason: devices.Phrase{ZH: "回路应答了,但状态没有改变", EN: "The circuit acknowledged but has not changed: check the contact and its manual switch"},
			}
		})
	})
}

// Level is one level of a dimmer.
type Level struct {
	ID      string
	Label   devices.Phrase
	Percent int
}

// dimmer is a light with levels.
type dimmer struct {
	base
	levels  []Level // off first
	lamp    devices.Dimmer
	percent int // as last read
}

// levelSlack is how far, in percent, a read-back may be from a level and still be it: registers of
// 8 bits round.
const levelSlack = 2

const otherLevel = "other"

// NewDimmer makes a dimmed light with the given levels beside off.
func NewDimmer(spec Spec, levels []Level, lamp devices.Dimmer) devices.Device {
	off := Level{ID: "off", Label: devices.Phrase{ZH: "关", EN: "Off"}}
	d := &dimmer{levels: append([]Level{off}, levels...), lamp: lamp}
	d.init(spec, lamp)
	d.read = d.ask
	return d
}

// Properties implements devices.Device.
func (d *dimmer) Properties() []devices.Property {
	var options []devices.Option
	for _, l := range d.levels {
		options = append(options, devices.Option{Value: l.ID, Label: l.Label})
	}
	options = append(options, devices.Option{Value: otherLevel, State: true, Label: devices.Phrase{ZH: "其他亮度", EN: "Other"}})
	return []devices.Property{{Name: "level", Kind: devices.KindEnum, Settable: true, Continuous: true, Options: options}}
}

// word names a percentage; one that is no level is not made into the nearest.
func (d *dimmer) word(percent int) string {
	for _, l := range d.levels {
		if percent == l.Percent || l.Percent > 0 && percent > 0 && max(percent-l.Percent, l.Percent-percent) <= levelSlack {
			return l.ID
		}
	}
	return otherLevel
}

func (d *dimmer) ask(ctx context.Context) (bool, error) {
	percent, err := d.lamp.Level(ctx)
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	d.percent = percent
	d.report.Report("level", devices.Word(d.word(percent)), devices.Reported)
	return false, nil
}

// Set implements devices.Device.
func (d *dimmer) Set(ctx context.Context, property string, v devices.Value) error {
	for _, l := range d.levels {
		if property == "level" && l.ID == v.String() {
			return d.set(ctx, func() error {
				if err := d.lamp.SetLevel(ctx, l.Percent); err != nil {
					return fmt.Errorf("dimming: %w", err)
				}
				return d.confirm(ctx, func() bool { return d.word(d.percent) == l.ID }, func() error {
					return &devices.Rejection{
						Code:   "read-back",
						Reason: devices.Phrase{ZH: "调光器应答了,但亮度没有改变", EN: fmt.Sprintf("The dimmer acknowledged but stands at %d %%", d.percent)},
					}
				})
			})
		}
	}
	return noSuch(property)
}
