package mqtt

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"lectern/devices/line"
)

const (
	controllerNode = "controller"
	lineNodes      = "line-" // before the id of a line
	healthEvery    = time.Minute
)

// health publishes how the controller itself is doing: what an operator would ask first.
func (s *session) health() {
	s.retain(controllerNode+"/version", text(s.Build))
	s.retain(controllerNode+"/started", text(s.started.UTC().Format(time.RFC3339)))
	s.retain(controllerNode+"/uptime", fmt.Append(nil, int(time.Since(s.started).Seconds())))
	s.retain(controllerNode+"/unanswered", fmt.Append(nil, s.unanswered.Load()))
	s.troubles()
}

// troubles publishes how much does not work. The last error stands after what it was about works again.
func (s *session) troubles() {
	state := s.Room.State()
	down, offline := 0, 0
	var latest time.Time
	note := func(since time.Time, what string) {
		if since.After(latest) {
			latest, s.trouble = since, what
		}
	}
	for _, l := range state.Lines {
		if !l.Up {
			down++
			if l.Error != "" {
				note(l.Since, "line "+l.Line+": "+l.Error)
			}
		}
	}
	for _, d := range state.Devices {
		if d.Fed && !d.Online {
			offline++
			if d.Error != "" {
				note(d.Since, "device "+d.Device+": "+d.Error)
			}
		}
	}
	s.retain(controllerNode+"/lines-down", fmt.Append(nil, down))
	s.retain(controllerNode+"/devices-offline", fmt.Append(nil, offline))
	s.retain(controllerNode+"/last-error", text(s.trouble))
}

// text is a string as the convention has it: an empty one is a zero byte.
func text(s string) []byte {
	if s == "" {
		return []byte{0}
	}
	return []byte(s)
}

// unitHealth is one unit of a line, as units tells it. Counters are left to /metrics: they change with
// every poll.
type unitHealth struct {
	Unit   string `json:"unit"`
	Silent bool   `json:"silent"`
	Error  string `json:"error,omitempty"`
}

func (s *session) showLine(l line.Health) {
	node := lineNodes + l.Line
	alert := ""
	if !l.Up {
		alert = strings.TrimSuffix("line is down: "+l.Error, ": ")
	}
	units := make([]unitHealth, len(l.Units))
	for i, u := range l.Units {
		units[i] = unitHealth{u.Unit, u.Silent, u.Error}
	}
	b, err := json.Marshal(units)
	if err != nil {
		s.Log.Error("writing the units of a line", "line", l.Line, "error", err)
		return
	}
	s.retain("$alert/"+node, []byte(alert))
	s.retain(node+"/up", fmt.Append(nil, l.Up))
	s.retain(node+"/error", text(l.Error))
	s.retain(node+"/units", b)
}

// healthNodes describes what health, showLine and showStaff publish.
func (g *Gateway) healthNodes() map[string]homieNode {
	plain := func(en, zh, datatype, format, unit string) homieProperty {
		return homieProperty{Name: g.face().names.in(zh, en), Datatype: datatype, Format: format, Unit: unit, Retained: true}
	}
	nodes := map[string]homieNode{controllerNode: {Name: g.face().names.in("控制器", "Controller"), Type: "controller", Properties: map[string]homieProperty{
		"version":         plain("Version", "版本", "string", "", ""),
		"started":         plain("Started", "启动时间", "datetime", "", ""),
		"uptime":          plain("Uptime", "运行时间", "integer", "0:", "s"),
		"lines-down":      plain("Lines down", "断开的线路", "integer", "0:", "#"),
		"devices-offline": plain("Devices offline", "离线设备", "integer", "0:", "#"),
		"last-error":      plain("Last error", "最近错误", "string", "", ""),
		"unanswered":      plain("Commands without an answer", "未答复的命令", "integer", "0:", "#"),
	}}}
	maps.Copy(nodes[controllerNode].Properties, g.staffProperties())
	for _, l := range g.face().cfg.Lines {
		nodes[lineNodes+l.ID] = homieNode{Name: g.face().names.in("线路 "+l.ID, "Line "+l.ID), Type: "line", Properties: map[string]homieProperty{
			"up":    plain("Up", "连通", "boolean", "", ""),
			"error": plain("Error", "错误", "string", "", ""),
			"units": plain("Units", "单元", "json", `{"type":"array"}`, ""),
		}}
	}
	return nodes
}
