package panel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"lectern/configs"
	"lectern/devices"
	"lectern/panel/staff"
)

// door lets property staff into their pages. It has no lock of its own: it asks for the area as any
// panel does, so that wrong PINs are counted in one place.
type door struct{ s *Server }

var _ staff.Gate = door{}

// Staff implements staff.Gate.
func (d door) Staff(r *http.Request, touch bool) (session string, ok bool) {
	c := d.s.who(r, touch)
	id := cookie(r)
	return id, id != "" && !c.token && c.areas[areaStaff]
}

// overheard is an answer that is read before anybody gets it.
type overheard struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (o *overheard) Header() http.Header { return o.header }
func (o *overheard) WriteHeader(s int)   { o.status = s }

func (o *overheard) Write(b []byte) (int, error) { return o.body.Write(b) } //nolint:wrapcheck // a Buffer takes everything

// Enter implements staff.Gate.
func (d door) Enter(w http.ResponseWriter, r *http.Request, pin string) (devices.Phrase, bool) {
	body, err := json.Marshal(map[string]string{"pin": pin, "area": areaStaff})
	if err != nil {
		return devices.Phrase{ZH: "密码无法读取", EN: "The PIN cannot be read"}, false
	}
	ask := r.Clone(r.Context())
	ask.Body, ask.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer := &overheard{header: make(http.Header), status: http.StatusOK}
	d.s.openArea(answer, ask)
	if answer.status == http.StatusOK {
		for _, c := range answer.header.Values("Set-Cookie") {
			w.Header().Add("Set-Cookie", c)
		}
		return devices.Phrase{}, true
	}
	var p problem
	if json.Unmarshal(answer.body.Bytes(), &p) != nil {
		return devices.Phrase{ZH: "没有成功，请重试", EN: "It did not work, try again"}, false
	}
	told := devices.Phrase{ZH: p.ZH, EN: p.Detail}
	switch {
	case p.RetryAfter > 0:
		told.ZH, told.EN = fmt.Sprintf("%s（%d秒）", told.ZH, p.RetryAfter), fmt.Sprintf("%s (%d s)", told.EN, p.RetryAfter)
	case p.Left != nil:
		told.ZH, told.EN = fmt.Sprintf("%s，还可试%d次", told.ZH, *p.Left), fmt.Sprintf("%s, %d tries left", told.EN, *p.Left)
	}
	return told, false
}

// Leave implements staff.Gate.
func (d door) Leave(w http.ResponseWriter, r *http.Request) {
	answer := &overheard{header: make(http.Header)}
	d.s.lock(answer, r)
	for _, c := range answer.header.Values("Set-Cookie") {
		w.Header().Add("Set-Cookie", c)
	}
}

// tablet makes the staff pages, where the room file gives staff a PIN.
func (s *Server) tablet() error {
	hasPIN := s.Cfg.Panel.PINs[areaStaff] != "" || slices.ContainsFunc(s.Cfg.Panel.People, func(p configs.Person) bool { return slices.Contains(p.Areas, areaStaff) })
	if s.Service == nil || !hasPIN {
		return nil
	}
	words, err := Words()
	if err != nil {
		return err
	}
	s.staff, err = staff.New(staff.Config{Cfg: s.Cfg, Room: s.Room, Service: s.Service, Lines: s.Lines, Words: words, Gate: door{s}, Log: s.Log})
	return err //nolint:wrapcheck // says what it was making
}

// tabletRoutes lists the ways to the staff pages, which find their own way from there.
func (s *Server) tabletRoutes() []route {
	serve := func(w http.ResponseWriter, r *http.Request) {
		if s.staff == nil {
			writeProblem(w, problem{Status: http.StatusNotFound, Title: "No staff pages", Detail: "the room file gives staff no PIN: panel.pins.staff", ZH: "房间文件没有物业密码"})
			return
		}
		s.staff.ServeHTTP(w, r)
	}
	return []route{
		{http.MethodGet, "/staff", serve}, {http.MethodGet, "/staff/*", serve}, {http.MethodPost, "/staff/*", serve},
	}
}
