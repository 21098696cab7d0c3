package panel

import (
	_ "embed"
	"net/http"
)

// description is the OpenAPI document; a test holds it against the routes and their answers.
//
//go:embed openapi.json
var description []byte

// openapi is GET /api/openapi.json.
func (*Server) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(description)
}
