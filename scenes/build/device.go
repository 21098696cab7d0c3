package build

import (
	"fmt"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/equipment"
)

// device makes one piece of equipment.
func (b *builder) device(d configs.Device) (devices.Device, error) {
	spec := equipment.Spec{ID: d.ID, Name: phrase(d.Name), Poll: d.Poll, Log: b.o.Log.With("device", d.ID)}
	if d.Relays != nil {
		up, err := capability[devices.Switch](b, d.ID+"-up", d.Relays.Up.Driver, d.Relays.Up.Line, d.Relays.Up.Settings)
		if err != nil {
			return nil, fmt.Errorf("relay up: %w", err)
		}
		down, err := capability[devices.Switch](b, d.ID+"-down", d.Relays.Down.Driver, d.Relays.Down.Line, d.Relays.Down.Settings)
		if err != nil {
			return nil, fmt.Errorf("relay down: %w", err)
		}
		return equipment.NewRelayCurtain(spec, travel(d), up, down), nil
	}
	switch d.Kind {
	case "circuit":
		return with(b, d, func(c devices.Switch) devices.Device { return equipment.NewCircuit(spec, c) })
	case "light":
		return with(b, d, func(c devices.Switch) devices.Device { return equipment.NewLight(spec, c) })
	case "dimmer":
		return with(b, d, func(c devices.Dimmer) devices.Device { return equipment.NewDimmer(spec, levels(d), c) })
	case "curtain", "screen":
		return with(b, d, func(c devices.Mover) devices.Device { return equipment.NewCurtain(spec, travel(d), c) })
	case "projector":
		return with(b, d, func(c devices.Projector) devices.Device {
			return equipment.NewProjector(spec, equipment.ProjectorSpec{
				Inputs: choices(d.Inputs), Warm: d.Transition.Warm, Cool: d.Transition.Cool,
				Queue: d.Transition.Meanwhile != "refuse",
			}, c)
		})
	case "matrix":
		return with(b, d, func(c devices.Selector) devices.Device {
			return equipment.NewMatrix(spec, choices(d.Inputs), choices(d.Outputs), c)
		})
	case "player", "recorder":
		return with(b, d, func(c devices.Player) devices.Device {
			return equipment.NewPlayer(spec, equipment.PlayerSpec{Limits: limits(d)}, c)
		})
	case "amplifier":
		return with(b, d, func(c devices.Volume) devices.Device { return equipment.NewAmplifier(spec, limits(d), c) })
	case "sensor":
		return with(b, d, func(c devices.Sensor) devices.Device {
			return equipment.NewSensor(spec, equipment.SensorSpec{Measures: d.Measures, Unit: d.Unit}, c)
		})
	}
	return nil, fmt.Errorf("there is no equipment of kind %q", d.Kind)
}

// with makes the device's capability and, from it, the equipment.
func with[C any](b *builder, d configs.Device, make func(C) devices.Device) (devices.Device, error) {
	c, err := capability[C](b, d.ID, d.Driver, d.Line, d.Settings)
	if err != nil {
		return nil, err
	}
	return make(c), nil
}

// capability lets a driver make what a kind of equipment needs.
func capability[C any](b *builder, id, driver, line string, settings any) (C, error) {
	var none C
	d, ok := b.o.Find(driver)
	if !ok {
		return none, fmt.Errorf("there is no driver %q", driver)
	}
	made, err := d.New(devices.Env{Device: id, Line: b.lines[line], Log: b.o.Log.With("device", id)}, settings)
	if err != nil {
		return none, fmt.Errorf("driver %s: %w", driver, err)
	}
	c, ok := made.(C)
	if !ok {
		return none, fmt.Errorf("driver %s makes a %T, which cannot do what this kind of device needs", driver, made)
	}
	return c, nil
}

func levels(d configs.Device) []equipment.Level {
	var made []equipment.Level
	for _, l := range d.Levels {
		made = append(made, equipment.Level{ID: l.ID, Label: phrase(l.Name), Percent: l.Percent})
	}
	return made
}

func choices(ports []configs.Port) []equipment.Choice {
	var made []equipment.Choice
	for _, p := range ports {
		code := p.Code
		if code == "" {
			code = p.ID
		}
		made = append(made, equipment.Choice{ID: p.ID, Label: phrase(p.Name), Code: code})
	}
	return made
}

func travel(d configs.Device) equipment.CurtainSpec {
	return equipment.CurtainSpec{Travel: d.Travel, DeadTime: d.DeadTime}
}

func limits(d configs.Device) equipment.Limits {
	if d.Limit == nil {
		return equipment.Limits{}
	}
	return equipment.Limits{Max: d.Limit.Max, Start: d.Limit.Start}
}
