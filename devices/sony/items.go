package sony

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"lectern/devices"
)

// item is one thing about a projector that SDCP and the serial protocol can ask or set.
type item uint16

const (
	itemInput  item = 0x0001
	itemError  item = 0x0101 // status error: bits
	itemStatus item = 0x0102 // status power
	itemLamp   item = 0x0113 // lamp timer, in hours
	itemPower  item = 0x0130 // set power
)

func (i item) String() string {
	switch i {
	case itemInput:
		return "input"
	case itemError:
		return "error status"
	case itemStatus:
		return "power status"
	case itemLamp:
		return "lamp timer"
	case itemPower:
		return "power"
	case keyOn:
		return "key POWER ON"
	case keyOff:
		return "key POWER OFF"
	}
	return fmt.Sprintf("item %04X", uint16(i))
}

// items is a wire on which items are asked and set. What the projector refuses is a
// *devices.Rejection.
type items interface {
	get(ctx context.Context, i item) (uint16, error)
	set(ctx context.Context, i item, value uint16) error
}

// powerOf reads the power status.
func powerOf(status uint16) (devices.Power, error) {
	switch status {
	case 0, 8: // standby, and power saving standby
		return devices.PowerOff, nil
	case 1, 2: // start up, and its lamp
		return devices.PowerWarming, nil
	case 3:
		return devices.PowerOn, nil
	case 4, 5, 6, 7: // cooling 1 and 2, and those of power saving
		return devices.PowerCooling, nil
	}
	return devices.PowerUnknown, fmt.Errorf("unknown power status %04X", status)
}

// status asks for everything that a projector has in items. The input and the lamp are asked only
// when it is on: in standby most models refuse.
func status(ctx context.Context, wire items) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	code, err := wire.get(ctx, itemStatus)
	if err != nil {
		return s, err //nolint:wrapcheck // says what was asked
	}
	if s.Power, err = powerOf(code); err != nil {
		return s, fmt.Errorf("sony: %w", err)
	}
	bits, err := optional(wire.get(ctx, itemError))
	if err != nil {
		return s, err
	}
	s.Fault = faultOf(bits)
	if s.Power != devices.PowerOn {
		return s, nil
	}
	input, err := wire.get(ctx, itemInput)
	switch {
	case err == nil:
		s.Input = inputCode(input)
	case !rejected(err):
		return s, err //nolint:wrapcheck // says what was asked
	}
	hours, err := wire.get(ctx, itemLamp)
	switch {
	case err == nil:
		s.Lamp = int(hours)
	case !rejected(err):
		return s, err //nolint:wrapcheck // says what was asked
	}
	return s, nil
}

// inputCode is an input as a room file has it.
func inputCode(input uint16) string { return strconv.FormatUint(uint64(input), 16) }

// setInput chooses an input by the code of a room file.
func setInput(ctx context.Context, wire items, code string) error {
	input, err := strconv.ParseUint(code, 16, 16)
	if err != nil || inputCode(uint16(input)) != code {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("配置错误：Sony信号源代码 %q 应为十六进制数，前面不加零，例如 3", code),
			EN: fmt.Sprintf("The room file's code %q is no Sony input: write its number in hex without zeros in front, such as 3", code),
		}}
	}
	return wire.set(ctx, itemInput, uint16(input)) //nolint:wrapcheck // says what was asked
}

// faultOf reads the bits of the error status. Several are told together.
func faultOf(bits uint16) devices.Fault {
	if bits == 0 {
		return devices.Fault{}
	}
	var zh, en []string
	for _, f := range []struct {
		bit  uint16
		text devices.Phrase
	}{
		{0x01, devices.Phrase{ZH: "灯泡故障", EN: "Lamp"}},
		{0x02, devices.Phrase{ZH: "风扇故障", EN: "Fan"}},
		{0x04, devices.Phrase{ZH: "机盖打开", EN: "Cover open"}},
		{0x08, devices.Phrase{ZH: "温度过高", EN: "Too hot"}},
		{0x10, devices.Phrase{ZH: "5V电源故障", EN: "5 V supply"}},
		{0x20, devices.Phrase{ZH: "电源故障", EN: "Power supply"}},
		{0x40, devices.Phrase{ZH: "警告", EN: "Warning"}},
		{0x80, devices.Phrase{ZH: "存储器(NVM)错误", EN: "Memory (NVM)"}},
	} {
		if bits&f.bit != 0 {
			zh, en = append(zh, f.text.ZH), append(en, f.text.EN)
		}
	}
	if bits&^0xFF != 0 {
		zh, en = append(zh, "未知故障"), append(en, "Unknown fault")
	}
	return devices.Fault{Code: fmt.Sprintf("%04X", bits), Text: devices.Phrase{ZH: strings.Join(zh, "，"), EN: strings.Join(en, ", ")}}
}

// explainItem says in words what the value of an item means.
func explainItem(i item, value uint16) string {
	switch i {
	case itemStatus:
		if power, err := powerOf(value); err == nil {
			return "power is " + string(power)
		}
	case itemInput:
		return "input is " + inputCode(value)
	case itemLamp:
		return fmt.Sprintf("the lamp has burnt %d hours", value)
	case itemError:
		if f := faultOf(value); f.Code != "" {
			return "fault: " + f.Text.EN
		}
		return "no fault"
	}
	return fmt.Sprintf("%s is %04X", i, value)
}
