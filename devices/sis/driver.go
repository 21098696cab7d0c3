// Package sis drives Extron equipment by its Simple Instruction Set: matrix switchers, switchers, the
// volumes of amplifiers and DSPs, and the recorders of the SMP series, over RS-232 (9600 baud, 8N1) or
// telnet (TCP port 23).
//
// What the equipment is like, and what it means here:
//
//   - Simple commands ("1*3!") need no end, escape commands ("<ESC>D1*-250GRPM<CR>") end with CR;
//     answers are lines.
//   - In verbose mode 3 every answer is tagged with what it answers ("Out3 In1 All"), and what
//     happens at the front panel is reported in the same words. Equipment forgets the mode with
//     the connection and with the mains, so it is set on every connection, after every failure and
//     whenever the copyright line of a restart is heard.
//   - Over telnet it greets with that copyright line and may ask for a password.
//   - A front panel may report no more than "Qik": something was switched. That is worth a look.
//
// Inputs and outputs go by their plain numbers.
//
// Several devices on one line share its session; two layers of a matrix and some volumes of the DSP
// inside it are the usual case.
package sis

import (
	"fmt"

	"lectern/devices"
	"lectern/devices/line"
)

// facts names where the protocol's facts come from.
const facts = "Extron SIS tables: DTP CrossPoint 84 IPCP setup guide p. 21, XTP CrossPoint programming guide p. 113, " +
	"DMP 128 user guide p. 150 (group masters), MTPX Plus 6400 setup guide p. 21 (verbose modes)"

// Drivers returns the drivers "extron-sis", "extron-sis-volume" and "extron-smp".
func Drivers() []devices.Driver {
	return []devices.Driver{
		{
			Name:      "extron-sis",
			Equipment: "Extron matrix switchers and switchers",
			Facts:     facts,
			Kinds:     []string{"matrix"},
			Lines:     []line.Kind{line.Serial, line.TCP},
			Bus:       "sis",
			Feedback:  "state, speaks up by itself",
			Probe:     probe(),
			Settings: func() any {
				return &MatrixSettings{Tagged: true, Layer: string(layerAll)}
			},
			Claims: func(settings any) []string { return matrixClaims(settings.(*MatrixSettings)) },
			New: func(env devices.Env, settings any) (any, error) {
				return newMatrix(env, *settings.(*MatrixSettings))
			},
		},
		{
			Name:      "extron-sis-volume",
			Equipment: "volumes of Extron amplifiers, switchers and DSPs",
			Facts:     facts,
			Kinds:     []string{"amplifier"},
			Lines:     []line.Kind{line.Serial, line.TCP},
			Bus:       "sis",
			Feedback:  "state, speaks up by itself",
			Probe:     probe(),
			Settings: func() any {
				return &VolumeSettings{Tagged: true, FloorDB: -60}
			},
			Claims: func(settings any) []string { return volumeClaims(settings.(*VolumeSettings)) },
			New: func(env devices.Env, settings any) (any, error) {
				return newLevel(env, *settings.(*VolumeSettings))
			},
		},
		{
			Name:      "extron-smp",
			Equipment: "Extron SMP 300 series recorders",
			Facts:     "Extron SMP 300 Series user guide p. 123, SMP 351 user guide p. 170 (recording commands)",
			Feedback:  "state, speaks up by itself",
			Kinds:     []string{"recorder"},
			Lines:     []line.Kind{line.Serial, line.TCP},
			Bus:       "sis",
			Settings:  func() any { return &RecorderSettings{} },
			Claims:    func(any) []string { return []string{"the recorder"} },
			New: func(env devices.Env, settings any) (any, error) {
				return newRecording(env, *settings.(*RecorderSettings))
			},
		},
	}
}

func matrixClaims(s *MatrixSettings) []string {
	switch layer(s.Layer) {
	case layerVideo:
		return []string{"video of the matrix"}
	case layerAudio:
		return []string{"audio of the matrix"}
	}
	return []string{"video of the matrix", "audio of the matrix"}
}

func volumeClaims(s *VolumeSettings) []string {
	if s.Group == 0 {
		return []string{"the volume"}
	}
	return []string{fmt.Sprintf("group %d", s.Group), fmt.Sprintf("group %d", s.muteGroup())}
}
