package guide

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed guide.html
var sheet string

// StyleHash returns what a content security policy wants to hear of the style that the page brings.
func StyleHash() string {
	_, rest, _ := strings.Cut(sheet, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// HTML writes the guide as one page for a printer or a browser: no script, nothing from elsewhere.
func (d Document) HTML(to io.Writer) error {
	page, err := template.New("guide").Parse(sheet)
	if err == nil {
		err = page.Execute(to, d)
	}
	if err != nil {
		return fmt.Errorf("writing the guide: %w", err)
	}
	return nil
}
