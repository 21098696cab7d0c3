package panel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	streamsMost = 512
	beat        = 5 * time.Second
	writeTime   = 10 * time.Second // for one event to a client; a slower one is cut and comes again
)

// room is GET /api/v1/room. A locked panel shows the room's name and looks, so these are open in any case.
func (s *Server) room(w http.ResponseWriter, r *http.Request) {
	all, locked := s.about()
	if s.views(r) {
		all.send(w, r)
		return
	}
	locked.send(w, r)
}

// state is GET /api/v1/state. It is open, as the room itself is to who stands in it, unless the room
// file says otherwise.
func (s *Server) state(w http.ResponseWriter, r *http.Request) {
	if s.viewed(w, r) {
		writeJSON(w, http.StatusOK, s.Room.State())
	}
}

// set is POST /api/v1/devices/{device}/{property}.
func (s *Server) set(w http.ResponseWriter, r *http.Request) {
	device, property := param(r, "device"), param(r, "property")
	c, ok := s.allowed(w, r, s.areaOf(device))
	if !ok {
		return
	}
	var in struct {
		Value any `json:"value"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.Value == nil {
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "No value", Detail: `give {"value": ...}`, ZH: "缺少取值"})
		return
	}
	// A finger that lifts, or a browser that goes, does not take a command back.
	ctx := context.WithoutCancel(r.Context())
	outcome, err := s.Room.Do(ctx, room.Command{Device: device, Property: property, Value: in.Value, By: c.by})
	if err != nil {
		writeError(w, err)
		return
	}
	outcome.Detail = "" // for the journal; a person has the reason
	writeOutcome(w, outcome)
}

func (s *Server) areaOf(device string) string {
	for _, d := range s.Cfg.Devices {
		if d.ID == device && d.Area != "" {
			return d.Area
		}
	}
	return areaMain
}

func (s *Server) scene(id string) (configs.Scene, bool) {
	for _, scene := range s.Cfg.Scenes {
		if scene.ID == id {
			return scene, true
		}
	}
	return configs.Scene{}, false
}

func areaOfScene(scene configs.Scene) string {
	if scene.Area == "" {
		return areaMain
	}
	return scene.Area
}

// hold is POST /api/v1/scenes/{scene}/hold: a finger is on the button from now.
func (s *Server) hold(w http.ResponseWriter, r *http.Request) {
	scene, _ := s.scene(param(r, "scene"))
	if _, ok := s.allowed(w, r, areaOfScene(scene)); !ok {
		return
	}
	if scene.ID == "" {
		_, err := s.Engine.Start(param(r, "scene"), s.who(r, false).by)
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"hold": s.holds.begin(scene.ID), "seconds": scene.Hold.Seconds()})
}

// startScene is POST /api/v1/scenes/{scene}. A scene whose button must be held wants the hold, or the
// confirmation that stands beside it for who cannot hold; a machine needs neither.
func (s *Server) startScene(w http.ResponseWriter, r *http.Request) {
	scene, known := s.scene(param(r, "scene"))
	c, ok := s.allowed(w, r, areaOfScene(scene))
	if !ok {
		return
	}
	var in struct {
		Hold    string `json:"hold"`
		Confirm bool   `json:"confirm"`
	}
	if r.ContentLength != 0 && !readJSON(w, r, &in) {
		return
	}
	if known && scene.Hold > 0 && !c.token && !in.Confirm {
		held, err := s.holds.end(in.Hold, scene.ID)
		if err != nil || held < scene.Hold {
			writeProblem(w, problem{
				Status: http.StatusConflict, Title: "Not held long enough", Outcome: "refused",
				Detail: fmt.Sprintf("held for %.1f s of %.1f s", held.Seconds(), scene.Hold.Seconds()),
				ZH:     fmt.Sprintf("请按住%.0f秒", scene.Hold.Seconds()),
			})
			return
		}
	}
	run, err := s.Engine.Start(param(r, "scene"), c.by)
	if err != nil {
		writeError(w, err)
		return
	}
	if s.Cfg.Panel.End != "" && scene.ID == s.Cfg.Panel.End { // the meeting is over, on every panel
		s.sessions.lockAll()
	}
	writeJSON(w, http.StatusAccepted, run)
}

// cancelScene is DELETE /api/v1/scenes/{scene}.
func (s *Server) cancelScene(w http.ResponseWriter, r *http.Request) {
	scene, _ := s.scene(param(r, "scene"))
	c, ok := s.allowed(w, r, areaOfScene(scene))
	if !ok {
		return
	}
	if !s.Engine.Cancel(param(r, "scene"), c.by) {
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "Not running", Detail: "that scene is not running", ZH: "该场景没有在运行"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// decide is POST /api/v1/scenes/{scene}/decision.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	scene, _ := s.scene(param(r, "scene"))
	c, ok := s.allowed(w, r, areaOfScene(scene))
	if !ok {
		return
	}
	var in struct {
		Do sequence.Decision `json:"do"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	switch in.Do {
	case sequence.DecideRetry, sequence.DecideSkip, sequence.DecideUnwind, sequence.DecideStop:
	default:
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "Unknown decision", Detail: "do is retry, skip, unwind or stop", ZH: "取值不对"})
		return
	}
	if !s.Engine.Decide(param(r, "scene"), in.Do, c.by) {
		writeProblem(w, problem{Status: http.StatusConflict, Title: "Nothing to decide", Detail: "no run of that scene is asking", ZH: "当前没有需要决定的步骤"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// events is GET /api/v1/events: hello, the whole state, then what changes. Who may not see the state
// hears that the controller is there, and no more.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	give, ok := streamPlace(sender(r), s.streams, s.each)
	if !ok {
		writeProblem(w, problem{Status: http.StatusServiceUnavailable, Title: "Too many panels", Detail: "no further event stream; close one", ZH: "连接的面板太多", RetryAfter: 10})
		return
	}
	defer give()
	sees := s.views(r)
	ctx, cancel := s.streaming(r)
	defer cancel()
	narrow(r)
	// A revision counts only within one life of the daemon, which the epoch names.
	var seen uint64
	if r.URL.Query().Get("epoch") == s.epoch {
		id := r.Header.Get("Last-Event-ID")
		if id == "" {
			id = r.URL.Query().Get("since")
		}
		seen, _ = strconv.ParseUint(id, 10, 64)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	var deadline time.Time
	write := func(text []byte, err error) bool {
		if err != nil {
			s.Log.Error("writing an event", "error", err)
			return false
		}
		// To set a deadline costs a tenth of an event: one holds for several, each of which has at least half of its time.
		if now := time.Now(); deadline.Sub(now) < s.times.event/2 {
			deadline = now.Add(s.times.event)
			_ = control.SetWriteDeadline(deadline)
		}
		_, _ = w.Write(text) // Flush says what went wrong
		err = control.Flush()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.counts.cut.Add(1)
		}
		return err == nil
	}
	hello := map[string]any{"build": s.Build, "epoch": s.epoch, "simulated": s.Simulated, "now": time.Now().UnixMilli()}
	var fresh chan struct{} // never, for who may not see the state
	var state *follower
	if sees {
		state = s.rounds.follow(seen)
		defer s.rounds.leave(state)
		fresh = state.fresh
		hello["revision"] = s.Room.State().Revision
	} else {
		hello["locked"] = true
	}
	if !write(event(0, "hello", hello)) {
		return
	}
	last, silence := time.Now(), time.NewTimer(beat)
	defer silence.Stop()
	for {
		var text []byte
		var err error
		select {
		case <-ctx.Done():
			return
		case <-fresh:
			u, changed := state.Look()
			if !changed {
				continue
			}
			text, err = s.news.of(u)
		case <-silence.C:
			if quiet := time.Since(last); quiet < beat {
				silence.Reset(beat - quiet)
				continue
			}
			text, err = event(0, "beat", map[string]any{"now": time.Now().UnixMilli()})
			silence.Reset(beat)
		}
		if sees && !s.views(r) { // locked meanwhile; the panel comes again and hears as much as it may
			return
		}
		if !write(text, err) {
			return
		}
		last = time.Now()
	}
}

// event writes one as it goes over the stream; 0 is no id.
func event(id uint64, name string, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what for
	}
	var text []byte
	if id > 0 {
		text = fmt.Appendf(text, "id: %d\n", id)
	}
	return fmt.Appendf(text, "event: %s\ndata: %s\n\n", name, b), nil
}

// news keeps the last update as it goes over the stream: two hundred panels want the same at the same moment.
type news struct {
	mu          sync.Mutex
	since, upto uint64
	text        []byte // read only once it is here
}

// of writes an update.
func (n *news) of(u room.Update) ([]byte, error) {
	if u.Full {
		return event(u.Revision, "snapshot", u)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.text != nil && n.since == u.Since && n.upto == u.Revision {
		return n.text, nil
	}
	text, err := event(u.Revision, "changes", u)
	n.since, n.upto, n.text = u.Since, u.Revision, text
	return text, err
}

// healthz is GET /healthz: the daemon is alive.
func (*Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readyz is GET /readyz: every line is up and every device has been read, or what is missing. Who may not
// see the state hears whether, and not what.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	missing := s.Missing()
	status := http.StatusOK
	if len(missing) > 0 {
		status = http.StatusServiceUnavailable
	}
	ready := len(missing) == 0
	if !s.views(r) {
		missing = []string{}
	}
	writeJSON(w, status, map[string]any{"ready": ready, "missing": missing})
}

// Missing lists the lines that are not up and the devices that do not answer.
func (s *Server) Missing() []string {
	missing := []string{}
	for _, l := range s.lines() {
		if h := l.Health(); !h.Up {
			missing = append(missing, strings.TrimSuffix("line "+h.Line+": "+h.Error, ": "))
		}
	}
	for _, d := range s.Room.Silent() {
		missing = append(missing, strings.TrimSuffix("device "+d.Device+": "+d.Error, ": "))
	}
	return missing
}

func (s *Server) lines() []*line.Line {
	if s.Lines == nil {
		return nil
	}
	return s.Lines()
}

// roomAnswer is the answer to GET /api/v1/room: what a panel needs to build its pages.
type roomAnswer struct {
	ID       string         `json:"id"`
	Name     configs.Name   `json:"name"`
	Language string         `json:"language"`
	Help     string         `json:"help,omitempty"`
	Timezone string         `json:"timezone,omitempty"` // of the room's own clock
	Pages    []string       `json:"pages,omitempty"`
	Areas    []string       `json:"areas"`
	Idle     map[string]int `json:"idle"` // seconds
	Theme    roomTheme      `json:"theme"`
	End      string         `json:"end,omitempty"`    // the scene that ends a meeting
	Locked   bool           `json:"locked,omitempty"` // there is more, for who opens the room
	Devices  []roomDevice   `json:"devices"`
	Sources  []roomSource   `json:"sources"`
	Scenes   []roomScene    `json:"scenes"`
}

type roomTheme struct {
	Mode   string `json:"mode,omitempty"`
	Accent string `json:"accent,omitempty"`
	Logo   string `json:"logo,omitempty"` // path of the picture
}

type roomDevice struct {
	ID         string             `json:"id"`
	Kind       string             `json:"kind"`
	Name       configs.Name       `json:"name"`
	Area       string             `json:"area"`
	Mains      string             `json:"mains,omitempty"`
	Volume     string             `json:"volume,omitempty"`  // the amplifier that sets its volume
	Preview    string             `json:"preview,omitempty"` // path of its picture
	Properties []devices.Property `json:"properties"`
}

type roomSource struct {
	ID     string       `json:"id"`
	Name   configs.Name `json:"name"`
	Icon   string       `json:"icon,omitempty"`
	On     string       `json:"on"`
	Volume string       `json:"volume,omitempty"`
	Player string       `json:"player,omitempty"`
	// Devices are those that choosing it sets, so that a panel knows which screen must be on.
	Devices []string `json:"devices,omitempty"`
}

type roomScene struct {
	ID   string       `json:"id"`
	Name configs.Name `json:"name"`
	Area string       `json:"area"`
	Hold float64      `json:"hold,omitempty"` // seconds
	// Devices are those that its steps set, so that a panel knows on which page it belongs.
	Devices []string `json:"devices,omitempty"`
}

// describe makes the answer to GET /api/v1/room once, and what of it a locked panel needs: a room file
// does not change while it is in force.
func describe(cfg *configs.Room, r *room.Room) (all, locked []byte) {
	a := roomAnswer{
		ID: cfg.Room.ID, Name: cfg.Room.Name, Language: cfg.Room.Language, Help: cfg.Room.Help, Timezone: cfg.Room.Timezone,
		Areas: newAccess(&cfg.Panel).areas(), Devices: []roomDevice{}, Sources: []roomSource{}, Scenes: []roomScene{},
		Idle: map[string]int{
			"sleep": int(cfg.Panel.Idle.Sleep.Seconds()), "lock": int(cfg.Panel.Idle.Lock.Seconds()), "area": int(cfg.Panel.Idle.Area.Seconds()),
			"dark": int(cfg.Panel.Idle.Dark.Seconds()),
		},
		Theme: roomTheme{Mode: cfg.Panel.Theme.Mode, Accent: cfg.Panel.Theme.Accent},
	}
	if cfg.Panel.Theme.Logo != "" {
		a.Theme.Logo = logoPath
	}
	a.Locked = true
	locked, _ = json.Marshal(a)
	a.Locked, a.Pages, a.End = false, cfg.Panel.Pages, cfg.Panel.End
	seen := make(map[string]bool)
	for _, d := range cfg.Devices {
		one := roomDevice{
			ID: d.ID, Kind: d.Kind, Name: d.Name, Area: d.Area, Mains: d.Mains, Volume: d.Volume, Properties: orEmpty(r.Properties(d.ID)),
		}
		if one.Area == "" {
			one.Area = areaMain
		}
		if d.Preview != nil {
			one.Preview = "/api/v1/preview/" + d.ID
		}
		seen[d.ID] = true
		a.Devices = append(a.Devices, one)
	}
	for _, id := range r.Devices() {
		if !seen[id] { // where sources are chosen
			a.Devices = append(a.Devices, roomDevice{ID: id, Kind: "sources", Name: cfg.ChooserName(id), Area: areaMain, Properties: r.Properties(id)})
		}
	}
	for _, src := range cfg.Sources {
		on := src.On
		if on == "" {
			on = "sources"
		}
		a.Sources = append(a.Sources, roomSource{ID: src.ID, Name: src.Name, Icon: src.Icon, On: on, Volume: src.Volume, Player: src.Player, Devices: src.Devices()})
	}
	for _, scene := range cfg.Scenes {
		a.Scenes = append(a.Scenes, roomScene{ID: scene.ID, Name: scene.Name, Area: areaOfScene(scene), Hold: scene.Hold.Seconds(), Devices: scene.Devices()})
	}
	all, _ = json.Marshal(a) // it has nothing in it that could fail
	return all, locked
}
