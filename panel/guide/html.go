package guide

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

//go:embed guide.css
var sheet string

// style is what stands in the element, to the letter.
func style() string { return "\n" + sheet }

// StyleHash returns what a content security policy wants to hear of the style that the page brings.
func StyleHash() string {
	sum := sha256.Sum256([]byte(style()))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// HTML writes the guide as one page for a printer or a browser: no script, nothing from elsewhere. It writes
// all of it or nothing.
func (d Document) HTML(to io.Writer) error {
	var out bytes.Buffer
	err := h.Doctype(g.Group{newline, d.page(), newline}).Render(&out)
	if err == nil {
		_, err = to.Write(out.Bytes())
	}
	if err != nil {
		return fmt.Errorf("writing the guide: %w", err)
	}
	return nil
}

// The page is a file that people keep and compare, so it has lines.
var newline = g.Text("\n")

// line is an element, and the end of its line.
func line(element g.Node) g.Node { return g.Group{element, newline} }

func (d Document) page() g.Node {
	return h.HTML(h.Lang(d.Language), newline,
		line(h.Head(newline,
			line(h.Meta(h.Charset("utf-8"))),
			line(h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1"))),
			line(h.TitleEl(g.Text(d.Title))),
			line(h.StyleEl(g.Raw(style()))),
		)),
		line(h.Body(newline, line(h.H1(g.Text(d.Title))), g.Map(d.Parts, Part.page))),
	)
}

func (p Part) page() g.Node {
	var text g.Node
	if p.Text != "" {
		text = line(h.P(g.Text(p.Text)))
	}
	return g.Group{line(h.H2(g.Text(p.Number + " " + p.Title))), text, g.Map(p.Sections, Section.page)}
}

func (s Section) page() g.Node {
	return line(h.Section(newline, line(h.H3(g.Text(s.Number+" "+s.Title))), g.Map(s.Items, Item.page)))
}

func (i Item) page() g.Node {
	var list, table g.Node
	if len(i.List) > 0 {
		list = line(h.Ul(g.Map(i.List, func(text string) g.Node { return h.Li(g.Text(text)) })))
	}
	if i.Table != nil {
		table = line(i.Table.page())
	}
	return line(h.Div(h.Class("item"), h.B(g.Text(i.Number)), h.Div(line(h.P(g.Text(i.Text))), list, table)))
}

func (t *Table) page() g.Node {
	head := func(text string) g.Node { return h.Th(h.Scope("col"), g.Text(text)) }
	cell := func(text string) g.Node { return h.Td(g.Text(text)) }
	return h.Table(
		line(h.THead(h.Tr(g.Map(t.Head, head)))),
		h.TBody(g.Map(t.Rows, func(row []string) g.Node { return line(h.Tr(g.Map(row, cell))) })),
	)
}
