package denon

import "lectern/devices"

// dialect is how one maker words the family's protocol. What stands behind the words is the same.
type dialect struct {
	name  string // of the driver
	start string // of every packet: the start character and the ID of the player

	act map[devices.Transport]string
	// open and closed move the tray, on switches on.
	open, closed, on string
	// stateWord and discWord are questions; each is asked with a ? before it and answered with itself
	// before the value.
	stateWord, discWord string
}

// denonWords are those of the DN-500BD MKII guide, section 4-1-1.
func denonWords() dialect {
	return dialect{
		name: "denon-bd", start: "@0", stateWord: "ST", discWord: "CD",
		open: "PCDTRYOP", closed: "PCDTRYCL", on: "PW00",
		act: map[devices.Transport]string{
			devices.TransportPlay: "2353", devices.TransportStop: "2354", devices.TransportPause: "2348",
			devices.TransportNext: "2332", devices.TransportPrevious: "2333",
			devices.TransportForward: "PCSLSFf", devices.TransportBack: "PCSLSRf",
		},
	}
}

// tascamWords are those of the BD-MP4K specification, section 5.1.
func tascamWords() dialect {
	return dialect{
		name: "tascam-bd", start: "!7", stateWord: "SST", discWord: "MST",
		open: "OPCOP", closed: "OPCCL", on: "PWR01",
		act: map[devices.Transport]string{
			devices.TransportPlay: "PLY", devices.TransportStop: "STP", devices.TransportPause: "PAS",
			devices.TransportNext: "SKPNX", devices.TransportPrevious: "SKPPV",
			devices.TransportForward: "SCNFf", devices.TransportBack: "SCNRf",
		},
	}
}

// encode makes a command ready for the wire.
func (d dialect) encode(command string) []byte { return []byte(d.start + command + "\r") }

// transportOf reads the answer to the question for the state; false for a word that nobody knows.
// Neither guide has a word for stop: who is stopped shows a menu. Players in the field say ST.
func transportOf(state string) (t devices.Transport, known bool) {
	switch state {
	case "PL", "DVFS", "DVTR":
		// A disc's own menu (DVTR) is the disc playing: who has pressed play is not to be told that
		// the player has stopped.
		return devices.TransportPlay, true
	case "PP", "DVSP": // step play moves by one picture and holds it
		return devices.TransportPause, true
	case "DVFF", "DVSF":
		return devices.TransportForward, true
	case "DVFR", "DVSR":
		return devices.TransportBack, true
	case "ST", "ED", "DVSU", "DVMC", "DVHM", "DVPL":
		return devices.TransportStop, true
	}
	return "", false
}

// The discs, as the question for the disc is answered.
const (
	discNone    = "NC"
	discIn      = "CI"
	discStrange = "UF" // "mounted media is unformatted": there is one, and it cannot be played
	trayOpen    = "TO" // opening or open
	trayClosed  = "TC" // closing or closed
	trayError   = "TE"
)
