package modbus_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	library "github.com/simonvetter/modbus"
	"go.uber.org/goleak"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
	"lectern/devices/sim/modbus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The boards of the manuals, each at address 1 as it is delivered.
var (
	waveshare = sim.Device{ID: "relay", Driver: "modbus-coil", With: map[string]any{"unit": 1, "coil": 0}}
	r421a08   = sim.Device{ID: "relay", Driver: "modbus-command-relay", With: map[string]any{"unit": 1, "register": 1}}
	sht20     = []sim.Device{
		{ID: "temperature", Driver: "modbus-sensor", With: map[string]any{"unit": 1, "register": 1, "divide": 10, "signed": true}},
		{ID: "humidity", Driver: "modbus-sensor", With: map[string]any{"unit": 1, "register": 2, "divide": 10}},
	}
)

// dimmers is a unit with circuits in registers from 0.
func dimmers(count, most int) []sim.Device {
	list := make([]sim.Device, count)
	for i := range list {
		list[i] = sim.Device{
			ID: fmt.Sprintf("lamp%d", i), Driver: "modbus-dimmer",
			With: map[string]any{"unit": 1, "base": 0, "channel": i, "max": most},
		}
	}
	return list
}

// unit makes the units of devices.
func unit(t testing.TB, devices ...sim.Device) sim.Unit {
	t.Helper()
	e, err := modbus.New(sim.Options{}, devices)
	if err != nil {
		t.Fatal(err)
	}
	return e.(sim.Unit)
}

// frame reads spaced hexadecimal.
func frame(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// summed adds the checksum, by shifting the polynomial through the message as a whole number: slower
// than the simulator's way and not the same.
func summed(b ...byte) []byte {
	reg := uint16(0xFFFF)
	for _, x := range b {
		for bit := range 8 {
			one := reg&1 ^ uint16(x>>bit&1)
			reg >>= 1
			if one == 1 {
				reg ^= 0xA001
			}
		}
	}
	return append(b, byte(reg), byte(reg>>8))
}

// say is a request and what must come back, "" for nothing and "echo" for the request again.
type say struct{ request, reply string }

func converse(t *testing.T, u sim.Unit, talk []say) {
	t.Helper()
	for _, s := range talk {
		want := frame(t, strings.ReplaceAll(s.reply, "echo", s.request))
		if got := u.Frame(frame(t, s.request)); !bytes.Equal(got, want) {
			t.Errorf("%s was answered % X, want % X", s.request, got, want)
		}
	}
}

func TestWaveshareRelaysAnswerAsTheWikiSays(t *testing.T) {
	converse(t, unit(t, waveshare), []say{
		{"01 01 00 00 00 08 3D CC", "01 01 01 00 51 88"},
		{"01 05 00 00 FF 00 8C 3A", "echo"},
		{"01 05 00 07 FF 00 3D FB", "echo"},
		{"01 01 00 00 00 08 3D CC", "01 01 01 81 91 E8"},
		{"01 05 00 00 00 00 CD CA", "echo"},
		{"01 05 00 00 55 00 F2 9A", "echo"},
		{"01 01 00 00 00 08 3D CC", "01 01 01 81 91 E8"}, // off and toggled: on again
		{"01 05 00 FF FF 00 BC 0A", "echo"},
		{"01 01 00 00 00 08 3D CC", "01 01 01 FF 11 C8"},
		{"01 05 00 FF 55 00 C2 AA", "echo"},
		{"01 01 00 00 00 08 3D CC", "01 01 01 00 51 88"},
		{"01 0F 00 00 00 08 01 FF BE D5", "01 0F 00 00 00 08 54 0D"},
		{"01 01 00 00 00 08 3D CC", "01 01 01 FF 11 C8"},
		{"01 0F 00 00 00 08 01 00 FE 95", "01 0F 00 00 00 08 54 0D"},
		{"01 05 00 FF 00 00 FD FA", "echo"},
		{"01 01 00 00 00 08 3D CC", "01 01 01 00 51 88"},
		{"01 03 80 00 00 01 AD CA", hex.EncodeToString(summed(1, 3, 2, 0, 0xC8))},
	})
}

func TestWaveshareRefusesWhatItHasNot(t *testing.T) {
	u := unit(t, waveshare)
	converse(t, u, []say{
		{hex.EncodeToString(summed(1, 5, 0, 8, 0xFF, 0)), hex.EncodeToString(summed(1, 0x85, 2))}, // the ninth of eight
		{hex.EncodeToString(summed(1, 1, 0, 1, 0, 8)), "01 81 02 C1 91"},
		{hex.EncodeToString(summed(1, 5, 0, 0, 0x12, 0x34)), hex.EncodeToString(summed(1, 0x85, 3))},
		{hex.EncodeToString(summed(1, 0x0F, 0, 0, 0, 9, 2, 0xFF, 1)), hex.EncodeToString(summed(1, 0x8F, 2))},
		{hex.EncodeToString(summed(1, 0x0F, 0, 0, 0, 8, 2, 0xFF, 1)), hex.EncodeToString(summed(1, 0x8F, 3))},
		{hex.EncodeToString(summed(1, 0x2B, 0x0E, 1, 0)), hex.EncodeToString(summed(1, 0xAB, 1))},
		{hex.EncodeToString(summed(1, 6, 0, 0, 0, 1)), hex.EncodeToString(summed(1, 0x86, 2))},
	})
	if got := u.(sim.Equipment).Truth(); got["relay.power"] != "false" {
		t.Errorf("a refused command did something: %v", got)
	}
}

func TestWaveshareFlashEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := unit(t, waveshare)
		on := func(want string) {
			t.Helper()
			if got := u.Truth()["relay.power"]; got != want {
				t.Errorf("the relay's power is %s, want %s", got, want)
			}
		}
		converse(t, u, []say{{"01 05 02 00 00 07 8D B0", "echo"}}) // closed for 700 ms
		time.Sleep(699 * time.Millisecond)
		on("true")
		time.Sleep(2 * time.Millisecond)
		on("false")
		converse(t, u, []say{{"01 05 00 00 FF 00 8C 3A", "echo"}, {"01 05 04 00 00 08 CD 3C", "echo"}}) // open for 800 ms
		on("false")
		time.Sleep(801 * time.Millisecond)
		on("true")
		// A command takes the place of a flash that has not ended.
		converse(t, u, []say{{"01 05 02 00 00 07 8D B0", "echo"}, {"01 05 00 00 FF 00 8C 3A", "echo"}})
		time.Sleep(time.Second)
		on("true")
	})
}

func TestR421A08CarriesOutItsCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := unit(t, r421a08)
		none, first, all := "01 03 10"+strings.Repeat(" 00 00", 8), "01 03 10 00 01"+strings.Repeat(" 00 00", 7), "01 03 10"+strings.Repeat(" 00 01", 8)
		relays := func(want string) {
			t.Helper()
			got := u.Frame(frame(t, "01 03 00 01 00 08 15 CC"))
			if !bytes.Equal(got, summed(frame(t, want)...)) {
				t.Errorf("the relays are % X, want %s", got, want)
			}
		}
		relays(none)
		converse(t, u, []say{
			{"01 06 00 01 01 00 D9 9A", "echo"}, // "open": energised
			{"01 03 00 01 00 01 D5 CA", "01 03 02 00 01 79 84"},
			{"01 06 00 01 02 00 D9 6A", "echo"},
			{"01 03 00 01 00 01 D5 CA", "01 03 02 00 00 B8 44"},
			{"01 06 00 01 03 00 D8 FA", "echo"},
			{"01 03 00 01 00 01 D5 CA", "01 03 02 00 01 79 84"},
			{"01 06 00 00 07 00 8B FA", "echo"},
		})
		relays(all)
		converse(t, u, []say{{"01 06 00 01 04 00 DA CA", "echo"}})
		relays(first)
		converse(t, u, []say{{"01 06 00 00 08 00 8E 0A", "echo"}})
		relays(none)
		for request, lasts := range map[string]time.Duration{
			"01 06 00 01 05 00 DB 5A": time.Second, "01 06 00 01 06 0A 5B AD": 10 * time.Second, "01 06 00 01 06 64 DA 41": 100 * time.Second,
		} {
			converse(t, u, []say{{request, "echo"}})
			time.Sleep(lasts - time.Millisecond)
			relays(first)
			time.Sleep(2 * time.Millisecond)
			relays(none)
		}
		converse(t, u, []say{
			{hex.EncodeToString(summed(1, 6, 0, 1, 9, 0)), hex.EncodeToString(summed(1, 0x86, 3))},
			{hex.EncodeToString(summed(1, 6, 0, 9, 1, 0)), hex.EncodeToString(summed(1, 0x86, 2))},
			{hex.EncodeToString(summed(1, 5, 0, 1, 0xFF, 0)), hex.EncodeToString(summed(1, 0x85, 2))}, // it has no coils
		})
	})
}

func TestDimmersTakeWhatIsOnTheirScaleAndNothingElse(t *testing.T) {
	u := unit(t, dimmers(4, 100)...)
	converse(t, u, []say{
		{"01 10 00 00 00 04 08 00 00 00 21 00 42 00 64 AB 82", "01 10 00 00 00 04 C1 CA"},
		{"01 03 00 00 00 04 44 09", "01 03 08 00 00 00 21 00 42 00 64 88 2F"},
		{"01 06 00 00 00 32 08 1F", "echo"},
		{hex.EncodeToString(summed(1, 6, 0, 0, 0, 101)), "01 86 03 02 61"},
		{hex.EncodeToString(summed(1, 4, 0, 0, 0, 1)), hex.EncodeToString(summed(1, 4, 2, 0, 50))},
		// One value that is none, and nothing is written.
		{hex.EncodeToString(summed(1, 16, 0, 0, 0, 2, 4, 0, 7, 0, 200)), hex.EncodeToString(summed(1, 0x90, 3))},
	})
	want := map[string]string{"lamp0.percent": "50", "lamp1.percent": "33", "lamp2.percent": "66", "lamp3.percent": "100"}
	if d := cmp.Diff(want, u.Truth()); d != "" {
		t.Error(d)
	}
	converse(t, unit(t, dimmers(1, 1000)...), []say{{"01 06 00 00 03 E8 89 74", "echo"}})
}

// TestDimmersAndGatewaysOfEveryTable: one request of each, at the last circuit that it has.
func TestDimmersAndGatewaysOfEveryTable(t *testing.T) {
	for name, c := range map[string]struct {
		channel int
		talk    []say // bodies without their checksum
		percent string
	}{
		"wb-mdm3":               {2, []say{{"01 06 00 02 00 21", "echo"}, {"01 05 00 02 FF 00", "echo"}, {"01 03 00 02 00 01", "01 03 02 00 21"}}, "33"},
		"wb-led":                {3, []say{{"01 06 07 D3 00 42", "echo"}, {"01 05 00 03 FF 00", "echo"}, {"01 06 07 D3 00 65", "01 86 03"}}, "66"},
		"wb-mao4":               {3, []say{{"01 06 00 13 00 64", "echo"}, {"01 05 00 13 FF 00", "echo"}, {"01 05 00 13 00 00", "echo"}, {"01 03 00 13 00 01", "01 03 02 00 64"}}, "0"},
		"wb-mao4-mv":            {3, []say{{"01 06 00 03 27 10", "echo"}, {"01 06 00 03 27 11", "01 86 03"}}, "100"},
		"ddm845r":               {3, []say{{"01 06 00 2B 03 FF", "echo"}, {"01 03 00 2B 00 01", "01 03 02 03 FF"}}, "100"},
		"ddm845r-all":           {0, []say{{"01 06 00 2C 00 0A", "echo"}}, "10"},
		"ecodim-dali-gw2":       {63, []say{{"01 06 0C F3 00 FE", "echo"}, {"01 03 0C F7 00 01", "01 03 02 00 FE"}, {"01 03 0C F3 00 01", "01 83 02"}, {"01 06 0C F7 00 01", "01 86 02"}, {"01 06 0C F3 00 FF", "01 86 03"}}, "100"},
		"ecodim-dali-gw2-group": {15, []say{{"01 06 08 1B 00 7F", "echo"}, {"01 03 08 1B 00 01", "01 83 02"}}, "50"},
		"ecodim-dali-gw2-all":   {0, []say{{"01 06 03 E8 00 7F", "echo"}}, "50"},
	} {
		t.Run(name, func(t *testing.T) {
			u := unit(t, sim.Device{ID: "lamp", Driver: "modbus-dimmer", With: map[string]any{"unit": 1, "map": name, "channel": c.channel}})
			for _, s := range c.talk {
				reply := strings.ReplaceAll(s.reply, "echo", s.request)
				converse(t, u, []say{{hex.EncodeToString(summed(frame(t, s.request)...)), hex.EncodeToString(summed(frame(t, reply)...))}})
			}
			if got := u.Truth()["lamp.percent"]; got != c.percent {
				t.Errorf("it shines at %s %%, want %s", got, c.percent)
			}
		})
	}
	for _, with := range []map[string]any{{"unit": 1, "map": "wb-mdm4"}, {"unit": 1, "map": "wb-mdm3", "channel": 3}} {
		if _, err := modbus.New(sim.Options{}, []sim.Device{{ID: "x", Driver: "modbus-dimmer", With: with}}); err == nil {
			t.Errorf("%v was made", with)
		}
	}
}

func TestSHT20MeasuresWhatItIsMadeTo(t *testing.T) {
	u := unit(t, sht20...)
	measures := func(temperature, humidity string) {
		t.Helper()
		for device, value := range map[string]string{"temperature": temperature, "humidity": humidity} {
			if err := u.Nudge(device, "value", value); err != nil {
				t.Error(err)
			}
		}
	}
	measures("30.5", "54.6")
	converse(t, u, []say{
		{"01 04 00 01 00 02 20 0B", "01 04 04 01 31 02 22 2A CE"},
		{"01 04 00 02 00 01 90 0A", "01 04 02 02 22 38 49"},
	})
	measures("28.5", "63.9")
	converse(t, u, []say{{"01 04 00 01 00 02 20 0B", "01 04 04 01 1D 02 7F 2A FE"}})
	measures("-4.2", "100")
	converse(t, u, []say{{"01 04 00 01 00 01 60 0A", hex.EncodeToString(summed(1, 4, 2, 0xFF, 0xD6))}})
	if d := cmp.Diff(map[string]string{"temperature.value": "-4.2", "humidity.value": "100"}, u.Truth()); d != "" {
		t.Error(d)
	}
}

func TestTheWeatherWandersAndReadsAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := unit(t, sht20...)
		seen := make(map[string]bool)
		for range 34 {
			now := u.Truth()["temperature.value"]
			var degrees float64
			if _, err := fmt.Sscan(now, &degrees); err != nil || degrees < 22.4 || degrees > 23.6 {
				t.Errorf("it is %s degrees (%v)", now, err)
			}
			raw := int(degrees*10 + 0.5)
			converse(t, u, []say{{"01 04 00 01 00 01 60 0A", hex.EncodeToString(summed(1, 4, 2, byte(raw>>8), byte(raw)))}})
			seen[now] = true
			time.Sleep(30 * time.Second)
		}
		if len(seen) < 5 {
			t.Errorf("in a quarter of an hour it was only ever %v", seen)
		}
	})
}

func TestWhatIsGarbledOrForOthersIsNotAnswered(t *testing.T) {
	converse(t, unit(t, waveshare), []say{
		{"01 05 00 00 FF 00 8C 3B", ""}, // checksum
		{"01 05 00 00 FF 00 8C", ""},    // a byte short
		{"", ""},
		{"01", ""},
		{hex.EncodeToString(summed(2, 1, 0, 0, 0, 8)), ""}, // another unit
		{hex.EncodeToString(summed(0, 5, 0, 0, 0xFF, 0)), ""},
	})
}

func TestFaultsAreDoneAndHealed(t *testing.T) {
	other := sim.Device{ID: "other", Driver: "modbus-coil", With: map[string]any{"unit": 2, "coil": 0}}
	u := unit(t, waveshare, other)
	read1, read2 := "01 01 00 00 00 08 3D CC", hex.EncodeToString(summed(2, 1, 0, 0, 0, 8))
	none1, none2 := "01 01 01 00 51 88", hex.EncodeToString(summed(2, 1, 1, 0))
	on := "01 05 00 00 FF 00 8C 3A"
	for _, c := range []struct {
		fault string
		talk  []say
	}{
		{"nak", []say{{read1, hex.EncodeToString(summed(1, 0x81, 4))}, {on, hex.EncodeToString(summed(1, 0x85, 4))}}},
		{"silent-unit-1", []say{{read1, ""}, {on, ""}, {read2, none2}}},
		{"stuck-unit-1", []say{{on, "echo"}, {read1, none1}}},
		{"", []say{{read1, none1}, {read2, none2}, {on, "echo"}, {read1, "01 01 01 01 90 48"}}},
	} {
		if err := u.Fault(c.fault); err != nil {
			t.Error(err)
		}
		converse(t, u, c.talk)
	}
	for _, name := range []string{"sulking", "silent-unit-3", "stuck-unit-", "silent-unit-0"} {
		if err := u.Fault(name); err == nil || !strings.Contains(err.Error(), "nak") {
			t.Errorf("fault %q: %v", name, err)
		}
	}
}

func TestNudgesSayWhatWouldBeRight(t *testing.T) {
	u := unit(t, append(dimmers(1, 100), sht20[0])...)
	before := maps.Clone(u.Truth())
	for _, c := range [][4]string{
		{"nothing", "power", "true", "no simulated device"},
		{"lamp0", "power", "true", "it has percent"},
		{"lamp0", "percent", "101", "0 to 100"},
		{"temperature", "value", "warm", "it is a number"},
		{"temperature", "value", "4000", "it is a number"},
		{"temperature", "value", "NaN", "it is a number"},
	} {
		if err := u.Nudge(c[0], c[1], c[2]); err == nil || !strings.Contains(err.Error(), c[3]) {
			t.Errorf("%s.%s = %s: %v", c[0], c[1], c[2], err)
		}
	}
	if d := cmp.Diff(before["lamp0.percent"], u.Truth()["lamp0.percent"]); d != "" {
		t.Error(d)
	}
}

func TestDevicesThatCannotBeAreRefused(t *testing.T) {
	for _, d := range []sim.Device{
		{ID: "x", Driver: "dooya"},
		{ID: "x", Driver: "modbus-coil"},
		{ID: "x", Driver: "modbus-sensor", With: map[string]any{"unit": 1, "function": 7}},
		{ID: "x", Driver: "modbus-dimmer", With: map[string]any{"unit": 1, "min": 5, "max": 5}},
	} {
		if _, err := modbus.New(sim.Options{}, []sim.Device{d}); err == nil {
			t.Errorf("%+v was made", d)
		}
	}
}

// TestAnIndependentMasterIsSatisfied asks the same units over Modbus TCP and over RTU frames on TCP.
// The library's master checks all that it is told.
func TestAnIndependentMasterIsSatisfied(t *testing.T) {
	for _, scheme := range []string{"tcp", "rtuovertcp"} {
		t.Run(scheme, func(t *testing.T) {
			u := unit(t, append(dimmers(4, 100), waveshare, sht20[0])...)
			ctx, cancel := context.WithCancel(context.Background())
			stage := sim.NewStage(ctx)
			t.Cleanup(func() { cancel(); stage.Wait() })
			var wire *sim.Wire
			var err error
			if scheme == "tcp" {
				wire, err = stage.Relay("127.0.0.1:0", u.(sim.Server))
			} else {
				wire, err = stage.TCP("127.0.0.1:0", u)
			}
			if err != nil {
				t.Fatal(err)
			}
			master, err := library.NewClient(&library.ClientConfiguration{
				URL: scheme + "://" + wire.Address(), Speed: 9600, Timeout: 10 * time.Second, Logger: log.New(io.Discard, "", 0),
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := master.Open(); err != nil {
				t.Fatal(err)
			}
			defer master.Close()
			ok := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			ok("address", master.SetUnitId(1))
			ok("coil", master.WriteCoil(2, true))
			ok("coils", master.WriteCoils(4, []bool{true, false, true}))
			coils, err := master.ReadCoils(0, 8)
			ok("reading coils", err)
			if d := cmp.Diff([]bool{false, false, true, false, true, false, true, false}, coils); d != "" {
				t.Error(d)
			}
			ok("register", master.WriteRegister(0, 12))
			ok("registers", master.WriteRegisters(1, []uint16{34, 56, 78}))
			registers, err := master.ReadRegisters(0, 4, library.HOLDING_REGISTER)
			ok("reading registers", err)
			if d := cmp.Diff([]uint16{12, 34, 56, 78}, registers); d != "" {
				t.Error(d)
			}
			ok("nudge", u.Nudge("temperature", "value", "19.5"))
			temperature, err := master.ReadRegister(1, library.INPUT_REGISTER)
			ok("reading an input", err)
			if temperature != 195 {
				t.Errorf("the input reads %d", temperature)
			}
			if err := master.WriteCoil(8, true); !errors.Is(err, library.ErrIllegalDataAddress) {
				t.Errorf("the ninth relay of eight: %v", err)
			}
			if err := master.WriteRegisters(2, []uint16{1, 101}); !errors.Is(err, library.ErrIllegalDataValue) {
				t.Errorf("101 %%: %v", err)
			}
			if _, err := master.ReadDiscreteInputs(0, 1); !errors.Is(err, library.ErrIllegalDataAddress) {
				t.Errorf("inputs that it has not: %v", err)
			}
			ok("fault", u.Fault("nak"))
			if _, err := master.ReadCoils(0, 8); !errors.Is(err, library.ErrServerDeviceFailure) {
				t.Errorf("nak: %v", err)
			}
			if scheme == "tcp" {
				ok("address", master.SetUnitId(9))
				if _, err := master.ReadCoils(0, 8); !errors.Is(err, library.ErrGWTargetFailedToRespond) {
					t.Errorf("a unit that nobody has: %v", err)
				}
			}
		})
	}
}

// FuzzFrame: whatever stands on the bus, what comes back is nothing, or a frame of that unit whose
// function is the request's or its exception.
func FuzzFrame(f *testing.F) {
	for _, s := range []string{
		"01 05 00 00 FF 00", "01 01 00 00 00 08", "01 0F 00 00 00 08 01 FF", "01 06 00 01 06 0A", "01 05 02 00 00 07",
		"01 10 00 00 00 04 08 00 00 00 21 00 42 00 64", "01 04 00 01 00 02", "01 03 FF FF 00 7D", "01 10 FF FF 00 02 04 00 00 00 00",
	} {
		f.Add(frame(f, s))
	}
	u := unit(f, append(append(dimmers(4, 100), sht20...), waveshare, r421a08)...)
	fuzz.Run(f, func(t *testing.T, body []byte) {
		if len(body) > 254 {
			return
		}
		_ = u.Frame(body)
		reply := u.Frame(summed(body...))
		if reply == nil {
			return
		}
		n := len(reply)
		if n < 5 || n > 256 || !bytes.Equal(summed(bytes.Clone(reply[:n-2])...), reply) || reply[0] != body[0] || reply[1]&^0x80 != body[1]&^0x80 {
			t.Errorf("% X was answered % X", body, reply)
		}
	})
}
