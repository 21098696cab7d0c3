package sony

import (
	"testing"

	"lectern/devices"
)

func TestPowerStatus(t *testing.T) {
	for code, want := range []devices.Power{
		devices.PowerOff, devices.PowerWarming, devices.PowerWarming, devices.PowerOn,
		devices.PowerCooling, devices.PowerCooling, devices.PowerCooling, devices.PowerCooling, devices.PowerOff,
	} {
		if got, err := powerOf(uint16(code)); err != nil || got != want {
			t.Errorf("%d is %q, %v", code, got, err)
		}
	}
	for _, code := range []uint16{9, 0x100, 0xFFFF} {
		if got, err := powerOf(code); err == nil || got != devices.PowerUnknown {
			t.Errorf("%d is %q", code, got)
		}
	}
}

func TestFaultBits(t *testing.T) {
	for bits, want := range map[uint16]string{
		0: "", 1: "Lamp", 0x0A: "Fan, Too hot", 0x80: "Memory (NVM)", 0x100: "Unknown fault",
	} {
		f := faultOf(bits)
		if f.Text.EN != want || (f.Code == "") != (bits == 0) || (f.Text.ZH == "") != (bits == 0) {
			t.Errorf("%04X is %+v", bits, f)
		}
	}
}

func TestErrorsAreRejectionsInBothLanguages(t *testing.T) {
	for code, busy := range map[uint16]bool{
		errUndefined: false, errRequest: false, errSelect: false, errRange: false, errData: false, errNotNow: true,
		errNotNowSDCP: true, errCommunity: false, errWireLeast: false, 0xF030: false, errNetworkTimeout: true, 0x7777: false,
	} {
		if r := rejection(code); r.Code == "" || r.Reason.ZH == "" || r.Reason.EN == "" || r.Busy != busy {
			t.Errorf("%04X: %+v", code, r)
		}
	}
}

func TestItemsInWords(t *testing.T) {
	for want, got := range map[string]string{
		"power is cooling": explainFrame(frame{item: itemStatus, kind: kindReply, value: 5}.encode()),
		"input is 3":       explainFrame(frame{item: itemInput, kind: kindReply, value: 3}.encode()),
		"done":             explainFrame(frame{kind: kindAck}.encode()),
		"no fault":         explainPacket(packet{community: "SONY", code: packetOK, item: itemError, data: []byte{0, 0}}.encode()),
		"power: done":      explainPacket(packet{community: "SONY", code: packetOK, item: itemPower}.encode()),
		"noise":            explainFrame([]byte{1, 2, 3}),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
