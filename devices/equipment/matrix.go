package equipment

import (
	"context"
	"fmt"
	"time"

	"lectern/devices"
)

// Choice is an input or output, with the protocol's word for it.
type Choice struct {
	ID    string
	Label devices.Phrase
	Code  string
}

// noInput is what an output shows that nothing is routed to.
const noInput = "none"

func options(choices []Choice) []devices.Option {
	var made []devices.Option
	for _, c := range choices {
		made = append(made, devices.Option{Value: c.ID, Label: c.Label})
	}
	return made
}

func byID(choices []Choice, id string) (Choice, bool) {
	for _, c := range choices {
		if c.ID == id {
			return c, true
		}
	}
	return Choice{}, false
}

func byCode(choices []Choice, code string) (Choice, bool) {
	for _, c := range choices {
		if c.Code == code {
			return c, true
		}
	}
	return Choice{}, false
}

// matrix routes inputs to outputs.
type matrix struct {
	base
	inputs, outputs []Choice
	selector        devices.Selector
	routed          map[string]string // input id by output id, as last read
}

// NewMatrix makes a matrix or switcher, with a property for each output.
func NewMatrix(spec Spec, inputs, outputs []Choice, s devices.Selector) devices.Device {
	m := &matrix{inputs: inputs, outputs: outputs, selector: s, routed: make(map[string]string)}
	m.init(spec, s)
	m.read = m.ask
	return m
}

// Properties implements devices.Device.
func (m *matrix) Properties() []devices.Property {
	var made []devices.Property
	for _, o := range m.outputs {
		words := append(options(m.inputs), devices.Option{Value: noInput, Label: devices.Phrase{ZH: "无", EN: "None"}},
			devices.Option{Value: otherLevel, State: true, Label: devices.Phrase{ZH: "其他", EN: "Other"}})
		made = append(made, devices.Property{Name: o.ID, Kind: devices.KindEnum, Settable: true, Options: words})
	}
	return made
}

func (m *matrix) ask(ctx context.Context) (bool, error) {
	for _, o := range m.outputs {
		if err := m.askOutput(ctx, o); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (m *matrix) askOutput(ctx context.Context, o Choice) error {
	code, err := m.selector.Selected(ctx, o.Code)
	if err != nil {
		return fmt.Errorf("reading output %s: %w", o.ID, err)
	}
	input := noInput
	if code != "" {
		input = otherLevel
		if c, ok := byCode(m.inputs, code); ok {
			input = c.ID
		}
	}
	m.routed[o.ID] = input
	m.report.Report(o.ID, devices.Word(input), devices.Reported)
	return nil
}

// Set implements devices.Device.
func (m *matrix) Set(ctx context.Context, property string, v devices.Value) error {
	output, ok := byID(m.outputs, property)
	if !ok {
		return noSuch(property)
	}
	input, _ := byID(m.inputs, v.String()) // none is the empty code
	return m.set(ctx, func() error {
		if err := m.selector.Select(ctx, output.Code, input.Code); err != nil {
			return fmt.Errorf("routing %s to %s: %w", v, property, err)
		}
		return m.confirm(ctx, func() bool { return m.routed[property] == v.String() }, func() error {
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
				ZH: "矩阵应答了,但信号没有切换", EN: fmt.Sprintf("The matrix acknowledged but %s shows %s", property, m.routed[property]),
			}}
		})
	})
}

// SensorSpec says what a sensor measures.
type SensorSpec struct {
	Measures string // temperature, humidity, light, presence or contact
	Unit     string // "" as the quantity has it
}

// sensor measures one thing.
type sensor struct {
	base
	more  SensorSpec
	gauge devices.Sensor
}

// sensorPoll is how often a sensor is asked: a room does not get warm in seconds.
const sensorPoll = 5 * time.Second

// NewSensor makes a sensor. Presence and contact are bools, everything else is a number.
func NewSensor(spec Spec, more SensorSpec, gauge devices.Sensor) devices.Device {
	if spec.Poll <= 0 {
		spec.Poll = sensorPoll
	}
	s := &sensor{more: more, gauge: gauge}
	s.init(spec, gauge)
	s.read = s.ask
	return s
}

// Properties implements devices.Device.
func (s *sensor) Properties() []devices.Property {
	p := devices.Property{Name: s.more.Measures, Kind: devices.KindNumber, Unit: s.more.Unit}
	switch s.more.Measures {
	case "presence", "contact":
		return []devices.Property{{Name: s.more.Measures, Kind: devices.KindBool}}
	case "temperature":
		p.Min, p.Max = -50, 100
		if p.Unit == "" {
			p.Unit = "°C"
		}
	case "humidity":
		p.Max = 100
		if p.Unit == "" {
			p.Unit = "%"
		}
	case "light":
		p.Max = 200000
		if p.Unit == "" {
			p.Unit = "lx"
		}
	}
	return []devices.Property{p}
}

func (s *sensor) ask(ctx context.Context) (bool, error) {
	f, err := s.gauge.Measure(ctx)
	if err != nil {
		return false, fmt.Errorf("measuring: %w", err)
	}
	v := devices.Number(f)
	if s.more.Measures == "presence" || s.more.Measures == "contact" {
		v = devices.Bool(f != 0)
	}
	s.report.Report(s.more.Measures, v, devices.Reported)
	return false, nil
}

// Set implements devices.Device: nothing about a sensor can be set.
func (*sensor) Set(_ context.Context, property string, _ devices.Value) error {
	return noSuch(property)
}
