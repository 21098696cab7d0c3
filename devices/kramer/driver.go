// Package kramer drives Kramer matrix switchers and switchers, and the volumes in them, by Kramer
// Protocol 3000: RS-232 at 115200 baud (9600 on older models), 8N1, or TCP port 5000.
//
// What the equipment is like, and what it means here:
//
//   - A command is "#ROUTE 12,3,1" and CR, its answer "~01@ROUTE 12,3,1 OK" and CR LF. What happens
//     at the front panel is reported to every port in the same words.
//   - 01 is the machine's number. A command may name it ("#01@ROUTE"); one that does not is taken by
//     whoever hears it. Old firmware leaves the number out of its answers.
//   - An error is "~01@ERR002" or "~01@ROUTE ERR 003", with and without the blank. Both are read.
//   - A preset may be recalled at the front panel; that is worth a look.
//
// Models and manuals differ, and where they do a setting says which it is:
//
//   - command: newer models have ROUTE, older and some small ones (VS-211UHD) only AV, VID and AUD.
//   - The VS-42 acknowledges ROUTE with VID. Any tie that says what was asked is taken as the answer.
//   - untie: the source that disconnects is 0 in most manuals, x in that of the VS-62HA.
//   - stage: the output stage in AUD-LVL is 1 (VS-44H2A) or OUT (VS-62HA).
//   - floor, ceiling: levels are dB on most models, and reach from -60 to 30 or -83 to 24.
//
// Equipment that asks for a login (ERR004) is not served: its protection must be off.
//
// Inputs and outputs go by their plain numbers. Several devices on one line share its session: two
// layers of a matrix and a volume inside it are the usual case.
package kramer

import (
	"fmt"

	"lectern/devices"
	"lectern/devices/line"
)

// facts names where the protocol's facts come from.
const facts = "Kramer Protocol 3000 tables: VP-81K user manual p. 31, VS-62HA p. 68 and 72, VS-44H2A p. 40, VS-622DT p. 74"

// Drivers returns the drivers "kramer" and "kramer-volume".
func Drivers() []devices.Driver {
	return []devices.Driver{
		{
			Name:      "kramer",
			Equipment: "Kramer matrix switchers and switchers (Protocol 3000)",
			Facts:     facts,
			Feedback:  "state, speaks up by itself",
			Kinds:     []string{"matrix"},
			Lines:     []line.Kind{line.Serial, line.TCP},
			Bus:       "kramer",
			Settings: func() any {
				return &MatrixSettings{Command: byRoute, Layer: string(layerAll), Untie: untieZero}
			},
			Claims: func(settings any) []string { return settings.(*MatrixSettings).claims() },
			New: func(env devices.Env, settings any) (any, error) {
				return newMatrix(env, *settings.(*MatrixSettings))
			},
		},
		{
			Name:      "kramer-volume",
			Equipment: "volumes of Kramer switchers and amplifiers (Protocol 3000)",
			Facts:     facts,
			Feedback:  "state, speaks up by itself",
			Kinds:     []string{"amplifier"},
			Lines:     []line.Kind{line.Serial, line.TCP},
			Bus:       "kramer",
			Settings: func() any {
				return &VolumeSettings{Channel: 1, Stage: "1", Floor: -60}
			},
			Claims: func(settings any) []string {
				s := settings.(*VolumeSettings)
				return []string{fmt.Sprintf("%svolume of output %d", machine(s.Machine), s.Channel)}
			},
			New: func(env devices.Env, settings any) (any, error) {
				return newFader(env, *settings.(*VolumeSettings))
			},
		},
	}
}
