package oppo

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lectern/devices"
)

// The commands that are used. The answer to each is @OK or @ER, or the two with the command's name
// before them.
const (
	cmdVerbose   = "SVM 2" // say by yourself what somebody does at your buttons, and echo names
	cmdPowerOn   = "PON"
	cmdMute      = "MUT" // a toggle; there is no discrete mute that all firmware knows
	queryPower   = "QPW"
	queryState   = "QPL"
	queryVolume  = "QVL"
	verboseValue = "2"
)

// commandOf is the command that a press of a transport is; false where the players have none.
func commandOf(t devices.Transport) (command string, ok bool) {
	command, ok = map[devices.Transport]string{
		devices.TransportPlay: "PLA", devices.TransportStop: "STP", devices.TransportPause: "PAU",
		devices.TransportForward: "FWD", devices.TransportBack: "REV",
		devices.TransportNext: "NXT", devices.TransportPrevious: "PRE", devices.TransportEject: "EJT",
	}[t]
	return command, ok
}

// encode makes a command ready for the wire. "Each command must not exceed 25 bytes": none here does.
func encode(command string) []byte { return []byte("#" + command + "\r") }

// nameOf is the three letters of a command.
func nameOf(command string) string {
	name, _, _ := strings.Cut(command, " ")
	return name
}

// split cuts the stream at carriage returns.
func split(got []byte) int { return bytes.IndexByte(got, '\r') + 1 }

// kind says what a frame is.
type kind int

const (
	other  kind = iota // noise, or something that nobody needs
	answer             // @OK PLAY, @PLA OK PLAY, @ER, @PLA ER
	update             // @UPL PLAY: the player says by itself what has happened
)

// message is a frame that has been read.
type message struct {
	kind  kind
	name  string // of the command or update; empty where a short answer does not say
	ok    bool   // OK rather than ER
	value string // what stands behind
}

// parse reads a frame as cut by split. Noise may stand before the @, and some firmware says it twice.
func parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return message{}
	}
	first, rest, _ := strings.Cut(text[at+1:], " ")
	rest = strings.TrimSpace(rest)
	if first == "OK" || first == "ER" {
		return message{kind: answer, ok: first == "OK", value: rest}
	}
	if len(first) != 3 {
		return message{}
	}
	word, value, _ := strings.Cut(rest, " ")
	switch {
	case word == "OK" || word == "ER":
		return message{kind: answer, name: first, ok: word == "OK", value: strings.TrimSpace(value)}
	case first[0] == 'U':
		return message{kind: update, name: first, value: rest}
	}
	return message{}
}

// answers reports whether a message is the answer to the command of the name. A short answer does
// not say what it answers, so that a late one to another question must be told by its value.
func (m message) answers(name string) bool {
	if m.kind != answer {
		return false
	}
	return m.name == name || m.name == "" && (!m.ok || fits(name, m.value))
}

// fits reports whether a value is one that the question with the name can be answered with.
func fits(name, value string) bool {
	switch name {
	case queryPower:
		return value == "ON" || value == "OFF"
	case queryState:
		_, ok := transportOf(value)
		return ok
	case queryVolume:
		_, _, err := volumeOf(value)
		return err == nil
	}
	return true
}

// transportOf reads an answer to QPL.
func transportOf(state string) (devices.Transport, bool) {
	switch state {
	case "PLAY", "STEP", "DISC MENU":
		// A disc with a menu runs it when it is played: who has pressed play is not to be told that
		// the player has stopped.
		return devices.TransportPlay, true
	case "PAUSE":
		return devices.TransportPause, true
	case "STOP", "LOADING", "CLOSE", "SETUP", "HOME MENU", "MEDIA CENTER", "SCREEN SAVER":
		return devices.TransportStop, true
	case "FFWD", "SFWD":
		return devices.TransportForward, true
	case "FREV", "SREV":
		return devices.TransportBack, true
	case "NO DISC":
		return devices.TransportNoMedia, true
	case "OPEN":
		return devices.TransportOpen, true
	}
	return "", false
}

// isUnderWay reports whether a state is one that the player leaves by itself in a moment.
func isUnderWay(state string) bool { return state == "LOADING" || state == "CLOSE" }

// volumeOf reads an answer to QVL: 0 to 100, or MUTE in place of it.
func volumeOf(value string) (percent int, muted bool, err error) {
	if value == "MUTE" {
		return 0, true, nil
	}
	percent, err = strconv.Atoi(value)
	if err != nil || percent < 0 || percent > 100 {
		return 0, false, fmt.Errorf("%q is no volume of an OPPO player", clip(value))
	}
	return percent, false, nil
}

// rejection puts an error answer to a command into words. The protocol has one error for everything;
// state is what the player said when asked for it afterwards, empty where it would not say.
func rejection(m message, name, state string) *devices.Rejection {
	no := &devices.Rejection{Code: strings.TrimSpace("ER " + clip(m.value)), Reason: devices.Phrase{
		ZH: "播放机现在不接受此命令", EN: "The player does not take this now",
	}}
	switch {
	case state == "NO DISC":
		no.Reason = devices.Phrase{ZH: "播放机里没有光盘", EN: "There is no disc in the player"}
	case state == "OPEN":
		no.Reason = devices.Phrase{ZH: "光盘托盘开着，请先关闭", EN: "The disc tray is open: close it first"}
	case isUnderWay(state):
		no.Reason = devices.Phrase{ZH: "播放机正在读盘，请稍候再试", EN: "The player is loading, try again in a moment"}
		no.Busy = true
	case state == "STOP":
		no.Reason = devices.Phrase{ZH: "播放机已停止，请先播放", EN: "The player is stopped: press play first"}
	case name == queryPower || name == queryState || name == queryVolume:
		no.Reason = devices.Phrase{ZH: "播放机不报告状态", EN: "The player does not tell its state"}
	}
	return no
}

// clip shortens what came from the wire before it is shown.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	m := parse(frame)
	switch m.kind {
	case answer:
		word := map[bool]string{true: "done", false: "rejected"}[m.ok]
		return strings.TrimSpace(fmt.Sprintf("%s %s %s", m.name, word, clip(m.value)))
	case update:
		what, ok := map[string]string{"UPL": "playback", "UPW": "power", "UVL": "volume"}[m.name]
		if !ok {
			what = m.name
		}
		return fmt.Sprintf("says by itself: %s %s", what, clip(m.value))
	}
	return ""
}
