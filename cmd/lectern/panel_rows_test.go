package main

import (
	"fmt"
	"testing"
	"time"

	"lectern/configs"
)

// The rows of the work instruction with a finger: from the glass to the bytes on the wire, and from the
// equipment's report back to the picture. One presenter works through them in their order, in Chinese
// and then in English.
func TestRowsByFinger(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			in := browser(t)
			h := open(t, example("demo.yaml"), func(r *configs.Room) { r.Panel.Idle.Dark = 4 * time.Second })
			s := screen{1024, 600, language, ""}
			p := hang(t, in, h.url, s)
			for _, row := range rowsByFinger {
				ok := t.Run(row.name, func(t *testing.T) {
					h.t, p.t = t, t
					row.play(h, p, s)
				})
				h.t, p.t = t, t
				if !ok {
					t.FailNow() // the next row starts where this one should have ended
				}
			}
		})
	}
}

var rowsByFinger = []struct {
	name string
	play func(h *house, p *glass, s screen)
}{
	{"A1SleepsAndWakesToTheSky", func(h *house, p *glass, s screen) {
		p.sees(".dark") // nobody has touched it
		p.touch(".dark")
		p.reads(".sky h1", speaks(s, "第一会议室", "Meeting room 1"))
	}},
	{"A2PINOpensTheMainPage", func(h *house, p *glass, s screen) {
		p.touch(".sky")
		p.reads("main.keypad h1", speaks(s, "请输入密码", "Enter PIN"))
		p.enter("0000")
		p.reads(".told", speaks(s, "密码错误", "Wrong PIN"))
		p.misses("nav")
		p.touch(`[data-key="9"]`)
		p.touch("[data-key=delete]")
		p.enter("1234")
		p.sees("main[data-page=home]")
	}},
	{"A3SystemAsksForItsOwnPIN", func(h *house, p *glass, s screen) {
		p.touch("nav [data-page=system]")
		p.reads("main.keypad h1", speaks(s, "请输入系统密码", "Enter system PIN"))
		p.enter("1234")
		p.reads(".told", speaks(s, "密码错误", "Wrong PIN"))
		p.enter("5678")
		p.reads("[data-scene=system-on]", speaks(s, "系统电源开", "System power on"))
	}},
	{"A4HoldingTwoSecondsStartsTheRack", func(h *house, p *glass, s screen) {
		e := h.listen("rack")
		p.hold("[data-scene=system-on].hold", 1500*time.Millisecond)
		p.misses(".run")
		if _, runs := h.state(); runs["system-on"].ID != "" {
			h.t.Error("1.5 s were enough")
		}
		eval[bool](p, `window.steps = new Set(); window.blinked = false; new MutationObserver(() => {
			document.querySelectorAll('.steps li.running').forEach(li => window.steps.add(li.innerText.split('\n')[0]));
			window.blinked ||= Boolean(document.querySelector('[data-scene=system-on].blink'));
		}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true}); true`)
		p.hold("[data-scene=system-on].hold", 2300*time.Millisecond)
		p.reads(".run h3", speaks(s, "完成", "Done"))
		p.misses(".blink")
		blinked, steps := eval[bool](p, "window.blinked"), eval[[]string](p, "[...window.steps]")
		if !blinked || len(steps) < 3 {
			h.t.Errorf("the button blinked: %v; steps seen under way: %q", blinked, steps)
		}
		h.hears(e, sequencer(1, true), sequencer(2, true), sequencer(3, true), sequencer(4, true), sequencer(5, true), sequencer(6, true))
		for _, c := range []string{"matrix", "player", "recorder", "computers", "projector", "amplifier"} {
			h.truly("rack-"+c+".power", "true")
			p.sees(fmt.Sprintf(`[data-set="rack-%s.power=true"][aria-pressed=true]`, c))
		}
		p.reads("header .status", speaks(s, "系统已就绪", "System ready"))
	}},
	{"A6AllLightsOnAndOff", func(h *house, p *glass, s screen) {
		p.page("lights")
		p.reads("[data-scene=lights-on]", speaks(s, "全开", "All on"))
		p.touch("[data-scene=lights-on]")
		for i := range 4 {
			p.sees(fmt.Sprintf(`[data-set="spot-%d.level=full"][aria-pressed=true]`, i+1))
			h.truly(fmt.Sprintf("spot-%d.percent", i+1), "100")
		}
		p.until("the scene is over", "!document.querySelector('[data-scene=lights-on].asked')")
		p.touch("[data-scene=lights-off]")
		for _, light := range []string{"door-lights", "wall-lights", "window-lights"} {
			p.sees(fmt.Sprintf(`[data-set="%s.power=false"][aria-pressed=true]`, light))
			h.truly(light+".power", "false")
		}
	}},
	{"A7SpotlightsInFourLevels", func(h *house, p *glass, s screen) {
		for i := range 4 {
			e := h.listen("bus")
			for _, level := range []string{"low", "mid", "high", "full", "off"} {
				p.sets(fmt.Sprintf("spot-%d.level", i+1), level)
			}
			h.hears(e, fmt.Sprintf("03 06 00 %02X 00 19", i), fmt.Sprintf("03 06 00 %02X 00 32", i), fmt.Sprintf("03 06 00 %02X 00 4B", i),
				fmt.Sprintf("03 06 00 %02X 00 64", i), fmt.Sprintf("03 06 00 %02X 00 00", i))
		}
	}},
	{"A8LightsOnAndOff", func(h *house, p *glass, s screen) {
		for coil, light := range []string{"door-lights", "wall-lights", "window-lights"} {
			e := h.listen("bus")
			p.sets(light+".power", "true")
			p.sets(light+".power", "false")
			h.hears(e, fmt.Sprintf("01 05 00 %02X FF 00", coil), fmt.Sprintf("01 05 00 %02X 00 00", coil))
		}
	}},
	{"A9CurtainsUpStopDown", func(h *house, p *glass, s screen) {
		p.page("curtains")
		for i, curtain := range []string{"door-curtain", "rear-curtain", "floor-curtain"} {
			e := h.listen("bus")
			p.touch(fmt.Sprintf(`[data-set="%s.motion=up"]`, curtain))
			p.touch(fmt.Sprintf(`[data-set="%s.motion=stop"]`, curtain))
			h.truly(curtain+".motion", "stop")
			p.touch(fmt.Sprintf(`[data-set="%s.motion=down"]`, curtain))
			h.says(curtain+".position", 0)
			p.reads(fmt.Sprintf("[data-device=%s]", curtain), speaks(s, "高度0%", "Height 0 %"))
			h.hears(e, fmt.Sprintf("55 12 %02X 03 01", i+1), fmt.Sprintf("55 12 %02X 03 03", i+1), fmt.Sprintf("55 12 %02X 03 02", i+1))
		}
	}},
	{"A10CurtainsToAnyHeight", func(h *house, p *glass, s screen) {
		for i, curtain := range []string{"door-curtain", "rear-curtain", "floor-curtain"} {
			e := h.listen("bus")
			p.drag(fmt.Sprintf(`[data-slider="%s.position"]`, curtain), 0.1, 0.5, 0.4, 0.5)
			h.truly(curtain+".position", "40")
			p.reads(fmt.Sprintf("[data-device=%s]", curtain), speaks(s, "高度40%", "Height 40 %"))
			h.hears(e, fmt.Sprintf("55 12 %02X 03 04 28", i+1))
		}
	}},
	{"A11ProjectorAndItsScreen", func(h *house, p *glass, s screen) {
		p.page("projector")
		beam, bus := h.listen("projector"), h.listen("bus")
		p.touch(`[data-set="projector.power=on"]`)
		p.sees(`[data-set="projector.power=on"][aria-pressed=true]`)
		h.truly("projector.power", "on")
		h.hears(beam, "PWR ON\r")
		h.says("screen.position", 0)
		h.says("screen.motion", "stop") // which is said when the relay has been let go
		h.hears(bus, "02 05 00 01 FF 00", "02 05 00 01 00 00")
		p.touch(`[data-set="projector.power=off"]`)
		p.sees(`[data-set="projector.power=off"][aria-pressed=true]`)
		h.hears(beam, "PWR ON\r", "PWR OFF\r")
		h.says("screen.position", 100)
		p.touch(`[data-set="projector.power=on"]`)
		p.sees(`[data-set="projector.power=on"][aria-pressed=true]`)
	}},
	{"A12Sources", func(h *house, p *glass, s screen) {
		for input, source := range []string{"dvd", "recorder", "computer1", "computer2", "computer3"} {
			e := h.listen("matrix")
			p.sets("sources.selected", source)
			p.reads(fmt.Sprintf(`[data-set="sources.selected=%s"]`, source), speaks(s, "正在显示", "Showing"))
			h.hears(e, fmt.Sprintf("%d*1!", input+1))
		}
		p.reads("aside.volume", speaks(s, "此信号无音量", "No volume for this source")) // 计算机3 has no audio
	}},
	{"A13VolumeOfTheComputer", func(h *house, p *glass, s screen) {
		p.sets("sources.selected", "computer1")
		p.reads("aside.volume", speaks(s, "计算机1", "Computer 1"))
		e := h.listen("matrix")
		p.drag(`[data-slider="sound-computer1.volume"]`, 0.5, 0.9, 0.5, 0)
		h.truly("sound-computer1.volume", "85") // the limit of the room file
		p.reads("aside.volume output", "85")
		p.touch("[data-step=down]")
		h.truly("sound-computer1.volume", "80")
		p.touch(`[data-set="sound-computer1.mute"]`)
		h.truly("sound-computer1.mute", "true")
		p.reads("aside.volume", speaks(s, "已静音", "Muted"))
		h.hears(e, "\x1bD1*", "\x1bD2*1GRPM")
		p.touch(`[data-set="sound-computer1.mute"]`)
		h.truly("sound-computer1.mute", "false")
	}},
	{"A14DVDWhileTheComputerStays", func(h *house, p *glass, s screen) {
		p.page("dvd")
		e := h.listen("player")
		for _, transport := range []string{"play", "forward", "back", "stop"} {
			p.sets("dvd.transport", transport)
			h.truly("dvd.transport", transport)
		}
		h.hears(e, "#PLA\r", "#FWD\r", "#REV\r", "#STP\r")
		p.drag(`[data-slider="dvd.volume"]`, 0.5, 0.9, 0.5, 0.5)
		h.hears(e, "#SVL ")
		p.until("the picture of the DVD", "document.querySelector('.preview img')?.naturalWidth > 0")
		p.reads(".preview", speaks(s, "图像预览：DVD", "Picture preview: DVD"))
		p.reads(".player", speaks(s, "屏幕上：计算机1", "On the screen: Computer 1"))
		h.says("sources.selected", "computer1")
	}},
	{"A15RecorderTheSame", func(h *house, p *glass, s screen) {
		p.page("recorder")
		e := h.listen("recorder")
		for _, transport := range []string{"play", "forward", "back", "stop"} {
			p.sets("recorder.transport", transport)
			h.truly("recorder.transport", transport)
		}
		h.hears(e, "play\r\n", "play: speed: 400\r\n", "play: speed: -400\r\n", "stop\r\n")
		p.until("the picture of the recorder", "document.querySelector('.preview img')?.naturalWidth > 0")
		p.reads(".player", speaks(s, "屏幕上：计算机1", "On the screen: Computer 1"))
		p.drag(`[data-slider="sound-recorder.volume"]`, 0.5, 0.9, 0.5, 0.5)
		p.until("the volume is there", "document.querySelector('aside.volume output:not(.asked)')?.innerText > 30")
		h.says("sources.selected", "computer1")
	}},
	{"A16DVDAndRecorderOnTheScreen", func(h *house, p *glass, s screen) {
		e := h.listen("matrix")
		p.touch("[data-put=recorder]")
		p.reads(".told", speaks(s, "正在显示", "Showing"))
		p.page("projector")
		p.sees(`[data-set="sources.selected=recorder"][aria-pressed=true]`)
		p.sets("sources.selected", "dvd")
		h.hears(e, "2*1!", "1*1!")
		h.truly("matrix.1", "1")
	}},
	{"A5SystemPowerOffCoolsTheLampFirst", func(h *house, p *glass, s screen) {
		p.system()
		p.touch(`[data-set="rack-projector.power=false"]`)
		p.reads(".toast", speaks(s, "投影机灯泡冷却后才能断电", "lamp must cool down"))
		rack, beam := h.listen("rack"), h.listen("projector")
		p.hold("[data-scene=system-off].hold", 2300*time.Millisecond)
		p.reads(".run h3", speaks(s, "完成", "Done"))
		h.hears(beam, "PWR OFF\r")
		h.hears(rack, sequencer(6, false), sequencer(5, false), sequencer(4, false), sequencer(3, false), sequencer(2, false), sequencer(1, false))
		p.reads("header .status", speaks(s, "系统未开启", "System is off"))
	}},
	{"EndMeetingRunsItsSceneAndLocks", func(h *house, p *glass, s screen) {
		p.touch("#end")
		p.reads("dialog", speaks(s, "结束会议吗", "End the meeting"))
		p.touch("[data-answer=end]")
		p.sees(".sky")
		h.until("the scene ran", func() bool { _, runs := h.state(); return runs["end-meeting"].ID != "" })
		p.touch(".sky")
		p.sees("main.keypad")
	}},
}
