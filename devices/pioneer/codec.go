package pioneer

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lectern/devices"
)

// The commands that are used. An argument stands before its command: 99RJ, CH5SL.
const (
	cmdPlay    = "PL"
	cmdReject  = "99RJ" // RJ alone opens the tray of a player that has stopped already
	cmdStill   = "ST"   // the picture is held
	cmdPause   = "PA"   // the picture is blanked
	cmdForward = "NF"
	cmdBack    = "NR"
	cmdOpen    = "OP"
	cmdClose   = "CO"

	queryMode    = "?P"
	queryDisc    = "?D"
	queryChapter = "?C"
	queryTrack   = "?R"
)

// goTo is the command that searches a chapter, or a track of a CD, and plays it (search & play, 5.17).
func goTo(query string, number int) string {
	return fmt.Sprintf("%s%dSL", map[string]string{queryChapter: "CH", queryTrack: "TR"}[query], number)
}

// encode makes a command ready for the wire.
func encode(command string) []byte { return []byte(command + "\r") }

// split cuts the stream at carriage returns.
func split(got []byte) int { return bytes.IndexByte(got, '\r') + 1 }

// kind says what a frame is.
type kind int

const (
	other  kind = iota // noise
	done               // R: the whole string of commands has been executed
	failed             // E04
	mode               // P04
	disc               // 1000X: the disc status
	number             // 05: a chapter or a track
)

// message is a frame that has been read.
type message struct {
	kind  kind
	text  string // code of an error, a mode or a disc
	value int    // of a number
}

var (
	failedForm = regexp.MustCompile(`^E[0-9]{2}$`)
	modeForm   = regexp.MustCompile(`^P[0-9]{2}$`)
	discForm   = regexp.MustCompile(`^[01][0-9X]{4}$`)
	numberForm = regexp.MustCompile(`^[0-9]{1,3}$`)
)

// parse reads a frame as cut by split.
func parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	switch {
	case text == "R":
		return message{kind: done}
	case failedForm.MatchString(text):
		return message{kind: failed, text: text}
	case modeForm.MatchString(text):
		return message{kind: mode, text: text}
	case discForm.MatchString(text):
		return message{kind: disc, text: text}
	case numberForm.MatchString(text):
		n, _ := strconv.Atoi(text)
		return message{kind: number, value: n}
	}
	return message{}
}

// answers reports whether a message can be the answer to a command or question. An error can be that
// to anything.
func (m message) answers(command string) bool {
	want := done
	switch command {
	case queryMode:
		want = mode
	case queryDisc:
		want = disc
	case queryChapter, queryTrack:
		want = number
	}
	return m.kind == want || m.kind == failed
}

// The active modes, as ?P tells them.
const (
	modeOpen   = "P00"
	modePark   = "P01" // the disc stands still, or there is none
	modeSetUp  = "P02" // it is being prepared for play
	modeUnload = "P03" // it stops and the tray opens
	modePlay   = "P04"
	modeStill  = "P05"
	modePause  = "P06"
	modeSearch = "P07"
	modeScan   = "P08" // forward or back: it does not say which
	modeSpeeds = "P09" // at any one of several speeds, forward or back
)

// transportOf reads an active mode. Of a scan it can only say that the disc runs.
func transportOf(mode string) (t devices.Transport, known bool) {
	switch mode {
	case modeOpen:
		return devices.TransportOpen, true
	case modePark, modeSetUp, modeUnload:
		return devices.TransportStop, true
	case modePlay, modeSearch, modeScan, modeSpeeds:
		return devices.TransportPlay, true
	case modeStill, modePause:
		return devices.TransportPause, true
	}
	return "", false
}

const noDisc = "E11"

// rejection puts an error answer into words. now is the active mode before the command.
func rejection(code, now string) *devices.Rejection {
	no := &devices.Rejection{Code: code, Reason: devices.Phrase{
		ZH: "播放机或光盘现在不允许此操作", EN: "The player or its disc does not allow this now",
	}}
	switch {
	case code == noDisc:
		no.Reason = devices.Phrase{ZH: "播放机里没有光盘", EN: "There is no disc in the player"}
	case code == "E12":
		no.Reason = devices.Phrase{ZH: "光盘上没有这个位置", EN: "There is no such place on the disc"}
	case code == "E99":
		no.Reason = devices.Phrase{ZH: "播放机故障，请关机后再开", EN: "The player is at fault: switch it off and on again"}
	case now == modeOpen:
		no.Reason = devices.Phrase{ZH: "光盘托盘开着，请先关闭", EN: "The disc tray is open: close it first"}
	case now == modePark:
		no.Reason = devices.Phrase{ZH: "播放机已停止，请先播放", EN: "The player is stopped: press play first"}
	case now == modeSetUp, now == modeUnload, now == modeSearch:
		no.Reason = devices.Phrase{ZH: "播放机正忙，请稍候再试", EN: "The player is busy, try again in a moment"}
		no.Busy = true
	}
	return no
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	switch m := parse(frame); m.kind {
	case done:
		return "done"
	case failed:
		return "error: " + rejection(m.text, "").Reason.In("en")
	case mode:
		return map[string]string{
			modeOpen: "open", modePark: "park", modeSetUp: "set-up", modeUnload: "unload", modePlay: "play", modeStill: "still",
			modePause: "pause", modeSearch: "search", modeScan: "scan", modeSpeeds: "multi-speed",
		}[m.text]
	case disc:
		return map[byte]string{'0': "no disc", '1': "disc loaded"}[m.text[0]]
	case number:
		return fmt.Sprintf("number %d", m.value)
	}
	return ""
}
