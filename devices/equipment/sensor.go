package equipment

import (
	"context"
	"fmt"
	"math"
	"time"

	"lectern/devices"
)

// SensorSpec says what a sensor measures.
type SensorSpec struct {
	Measures string // temperature, humidity, light, presence or contact
	Unit     string // "" as the quantity has it
}

// sensor measures one thing.
type sensor struct {
	base
	measures string
	gauge    devices.Sensor
}

// sensorPoll is how often a sensor is asked: a room does not get warm in seconds.
const sensorPoll = 5 * time.Second

// NewSensor makes a sensor. Presence and contact are bools, everything else is a number.
func NewSensor(spec Spec, more SensorSpec, gauge devices.Sensor) devices.Device {
	s := &sensor{measures: more.Measures, gauge: gauge}
	s.setUp(spec.withDefaults(sensorPoll), []devices.Property{measured(more)}, gauge)
	s.read = s.ask
	return s
}

// measured is the property of a quantity. Its bounds are those of rooms and instruments.
func measured(more SensorSpec) devices.Property {
	if isContact(more.Measures) {
		return devices.Property{Name: more.Measures, Kind: devices.KindBool}
	}
	p := devices.Property{Name: more.Measures, Kind: devices.KindNumber, Min: -1e9, Max: 1e9}
	switch more.Measures {
	case "temperature":
		p.Min, p.Max, p.Unit = -50, 100, "°C"
	case "humidity":
		p.Min, p.Max, p.Unit = 0, 100, "%"
	case "light":
		p.Min, p.Max, p.Unit = 0, 200000, "lx"
	}
	if more.Unit != "" {
		p.Unit = more.Unit
	}
	return p
}

func isContact(measures string) bool { return measures == "presence" || measures == "contact" }

func (s *sensor) ask(ctx context.Context) (bool, error) {
	f, err := s.gauge.Measure(ctx)
	q, err := believe(err)
	if err != nil {
		return false, fmt.Errorf("measuring: %w", err)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return false, fmt.Errorf("measuring: %v is no %s: check the scale and the wiring of the sensor", f, s.measures)
	}
	v := devices.Number(math.Round(f*100) / 100) // a tenth is what sensors mean, 30.500000000000004 is not
	if isContact(s.measures) {
		v = devices.Bool(f != 0)
	}
	s.say(s.measures, v, q)
	return false, nil
}

// Set implements devices.Device: nothing about a sensor can be set.
func (*sensor) Set(_ context.Context, property string, _ devices.Value) error {
	return noSuch(property)
}
