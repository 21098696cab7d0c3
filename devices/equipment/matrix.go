package equipment

import (
	"context"
	"fmt"

	"lectern/devices"
)

// Choice is an input or output, with the protocol's word for it.
type Choice struct {
	ID    string // the word in the API
	Label devices.Phrase
	Code  string // the protocol's word
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
	routed          map[string]string // input id by output id, as last read; with the turn
}

// NewMatrix makes a matrix or switcher, with a property for each output.
func NewMatrix(spec Spec, inputs, outputs []Choice, s devices.Selector) devices.Device {
	m := &matrix{inputs: inputs, outputs: outputs, selector: s, routed: make(map[string]string)}
	var properties []devices.Property
	for _, o := range outputs {
		words := append(options(inputs), devices.Option{Value: noInput, Label: devices.Phrase{ZH: "无", EN: "None"}},
			devices.Option{Value: other, State: true, Label: devices.Phrase{ZH: "其他", EN: "Other"}})
		properties = append(properties, devices.Property{Name: o.ID, Kind: devices.KindEnum, Settable: true, Options: words})
	}
	m.setUp(spec, properties, s)
	m.read = m.ask
	return m
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
	q, err := believe(err)
	if err != nil {
		return fmt.Errorf("reading output %s: %w", o.ID, err)
	}
	input := noInput
	if code != "" {
		input = other
		if c, ok := byCode(m.inputs, code); ok {
			input = c.ID
		}
	}
	m.routed[o.ID] = input
	m.say(o.ID, devices.Word(input), q)
	return nil
}

// Set implements devices.Device.
func (m *matrix) Set(ctx context.Context, property string, v devices.Value) error {
	output, ok := byID(m.outputs, property)
	if !ok {
		return noSuch(property)
	}
	input, _ := byID(m.inputs, v.String()) // none is the empty code
	return m.carryOut(ctx, wish{
		property: property, value: v,
		send: func(ctx context.Context) error { return m.selector.Select(ctx, output.Code, input.Code) },
		read: func(ctx context.Context) error { return m.askOutput(ctx, output) },
		met:  func() bool { return m.routed[property] == v.String() },
		unmet: func() devices.Phrase {
			return devices.Phrase{ZH: "矩阵应答了，但信号没有切换", EN: fmt.Sprintf("The matrix acknowledged but %s shows %s", property, m.routed[property])}
		},
	})
}
