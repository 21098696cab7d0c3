package denon

// The two makers' words. The tables are theirs: DN-500BD MKII guide, 4-1-1 and 4-1-3; BD-MP4K
// specification, 5.1 and 5.3.

// start is what every packet begins with.
func (p *Player) start() string { return map[bool]string{false: "@0", true: "!7"}[p.tascam] }

func (p *Player) stateWord() string { return map[bool]string{false: "ST", true: "SST"}[p.tascam] }

func (p *Player) discWord() string { return map[bool]string{false: "CD", true: "MST"}[p.tascam] }

// power is the command that switches the player on or off.
func (p *Player) power(on bool) string {
	if p.tascam {
		return map[bool]string{true: "PWR01", false: "PWR00"}[on]
	}
	return map[bool]string{true: "PW00", false: "PW01"}[on]
}

// state is the answer to the question for it. There is no word for stop: the home menu is shown.
func (p *Player) state() string {
	return map[mode]string{home: "DVHM", playing: "PL", paused: "PP", fast: "DVFF", reverse: "DVFR"}[p.mode]
}

// discState is the answer to the question for the disc.
func (p *Player) discState() string {
	switch {
	case p.fault == "tray":
		return "TE"
	case p.open:
		return "TO"
	case p.loading:
		return "TC"
	case p.disc:
		return "CI"
	}
	return "NC"
}

// keys are the commands, and what each is to the player.
func (p *Player) keys() map[string]string {
	if p.tascam {
		return map[string]string{
			"PWR01": "on", "PWR00": "off", "PLY": "play", "STP": "stop", "PAS": "pause", "SKPNX": "next", "SKPPV": "previous",
			"SCNFf": "forward", "SCNRf": "back", "OPCOP": "tray out", "OPCCL": "tray in", "MUT00": "mute", "MUT01": "unmute",
			"HOM": "menu", "TMN": "menu", "PMN": "menu", "ENT": "menu", "RET": "menu",
		}
	}
	return map[string]string{
		"PW00": "on", "PW01": "off", "2353": "play", "2354": "stop", "2348": "pause", "2332": "next", "2333": "previous",
		"PCSLSFf": "forward", "PCSLSRf": "back", "PCDTRYOP": "tray out", "PCDTRYCL": "tray in", "mt00": "mute", "mt01": "unmute",
		"PCHM": "menu", "DVTP": "menu", "DVPU": "menu", "PCENTR": "menu", "PCRTN": "menu",
	}
}
