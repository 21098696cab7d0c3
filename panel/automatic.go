package panel

import (
	"net/http"

	"lectern/scenes/room"
)

// listAutomatic is GET /api/v1/automatic. It is as open as the state, of which it is a part.
func (s *Server) listAutomatic(w http.ResponseWriter, r *http.Request) {
	if !s.viewed(w, r) {
		return
	}
	answer := struct {
		Automatic []room.Automatic `json:"automatic"`
		Emergency *room.Emergency  `json:"emergency,omitempty"`
	}{orEmpty(s.Board.List()), s.Room.State().Emergency}
	writeJSON(w, http.StatusOK, answer)
}

// switchAutomatic is POST /api/v1/automatic/{kind}/{id}.
func (s *Server) switchAutomatic(w http.ResponseWriter, r *http.Request) {
	c, ok := s.allowed(w, r, areaSystem)
	if !ok {
		return
	}
	var in struct {
		On *bool `json:"on"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.On == nil {
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "No value", Detail: `give {"on": true} or {"on": false}`, ZH: "缺少取值"})
		return
	}
	now, err := s.Board.Switch(param(r, "kind"), param(r, "id"), *in.On, c.by)
	if err != nil {
		writeError(w, err)
		return
	}
	s.Room.Touch()
	writeJSON(w, http.StatusOK, now)
}

// present is POST /api/v1/presence: somebody is here, and the room stays on. It is open to who stands in
// front of a locked panel: it moves nothing, and a room that is left on by mistake is the lesser harm.
func (s *Server) present(w http.ResponseWriter, r *http.Request) {
	if late(r) {
		writeLate(w)
		return
	}
	s.Room.Touch()
	w.WriteHeader(http.StatusNoContent)
}
