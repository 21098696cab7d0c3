package staff

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/components"
	h "maragu.dev/gomponents/html"

	"lectern/panel/markup"
	"lectern/scenes/maintenance"
)

// page is what every page has beside its own.
type page struct {
	*visit
	name    string // the class of its body
	refresh int    // seconds until it loads itself again; 0 for never
	still   bool   // it would, and somebody does not want it to
	tea     *teaDue
	due     int // items of open checklists that nobody has ticked
	work    *maintenance.Window
}

// content makes what a page has of its own.
type content func(page) g.Node

// show answers with a page.
func (v *visit) show(name string, refresh int, own content) {
	v.showAs(http.StatusOK, name, refresh, own)
}

func (v *visit) showAs(status int, name string, refresh int, own content) {
	now := time.Now()
	pg := page{visit: v, name: name, refresh: refresh, tea: v.p.teaDue(now), due: v.p.left(now)}
	if w, stands := v.p.Service.Maintenance.Now(); stands {
		pg.work = &w
	}
	if refresh > 0 && v.r.URL.Query().Has(still) {
		pg.refresh, pg.still = 0, true
	}
	reload(v.w, pg.refresh, v.path())
	v.p.render(v.w, status, name, pg.whole(own))
}

// render sends a page, whole or not at all.
func (p *Pages) render(w http.ResponseWriter, status int, name string, page g.Node) {
	var out bytes.Buffer
	if err := page.Render(&out); err != nil {
		p.Log.Error("making a staff page", "page", name, "error", err)
		http.Error(w, "the page could not be made; see the daemon's log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

// document is a page with the head that all of them have.
func (s *say) document(body ...g.Node) g.Node {
	return components.HTML5(components.HTML5Props{
		Title: s.t("title") + " · " + s.roomName(), Language: markup.Language(s.Lang),
		Head: []g.Node{h.Link(h.Rel("stylesheet"), h.Href("/staff/staff.css"))},
		Body: body,
	})
}

func (pg page) whole(own content) g.Node {
	return pg.document(h.Class(pg.name),
		pg.bar(), pg.ways(), pg.working(), pg.teaWanted(), pg.ticksWanted(),
		h.Main(h.P(h.Class("onlyprint"), g.Text(pg.roomName())), own(pg), pg.reloading()),
	)
}

func (pg page) bar() g.Node {
	var help g.Node
	if number := pg.help(); number != "" {
		help = h.Span(h.Class("help"), g.Text("☎ "+number))
	}
	return h.Header(h.Class("bar noprint"),
		h.P(h.Class("room"), markup.Spaced(g.Text(pg.roomName()), help)),
		pg.otherLanguage(pg.path()),
		h.Form(h.Method("post"), h.Action("/staff/leave"), pg.marked(), h.Button(pg.text("leave"))),
	)
}

// otherLanguage is the way to the same page in the other language.
func (s *say) otherLanguage(path string) g.Node {
	return h.A(h.Class("button"), h.Lang(markup.Language(s.other())), h.Href("/staff/lang?to="+s.other()+"&back="+url.QueryEscape(path)), s.text("lang.other"))
}

// ways are those to the other pages.
func (pg page) ways() g.Node {
	return h.Nav(h.Class("noprint"), g.Map(pg.links(), func(l link) g.Node {
		return h.A(h.Href(l.Path), g.If(l.Here, h.Aria("current", "page")), pg.text(l.Word))
	}))
}

func (pg page) working() g.Node {
	if pg.work == nil {
		return nil
	}
	return h.P(h.Class("banner work noprint"), h.Role("status"), markup.Spaced(
		g.Text("⚙ "+pg.t("work.on", pg.moment(pg.work.Until), pg.work.By, pg.work.Note)), h.Small(pg.text("work.about")),
	))
}

func (pg page) teaWanted() g.Node {
	if pg.tea == nil {
		return nil
	}
	return h.Form(h.Class("banner tea noprint"), h.Method("post"), h.Action(meetingPath(pg.tea.ID, "tea")),
		pg.marked(), hidden("back", pg.path()),
		markup.Spaced(
			h.Span(h.Role("status"), g.Text("☕ "+pg.t("tea.due", pg.clock(pg.tea.Since)))),
			h.Button(h.Class("main"), h.Data("do", "tea"), pg.text("tea.done")),
		),
	)
}

// ticksWanted says on every page but that of the day itself that checklists wait.
func (pg page) ticksWanted() g.Node {
	if pg.due == 0 || pg.name == "today" {
		return nil
	}
	return h.P(h.Class("banner due noprint"), h.Role("status"), h.A(h.Href("/staff"), g.Text("☑ "+pg.t("due", pg.due))))
}

func (pg page) reloading() g.Node {
	switch path := (&url.URL{Path: pg.path()}).EscapedPath(); {
	case pg.refresh > 0:
		return h.P(h.Class("reload noprint"), markup.Spaced(
			h.Small(pg.text("reload.on", pg.refresh)), h.A(h.Class("button quiet"), h.Href(path+"?"+still+"=1"), pg.text("reload.stop")),
		))
	case pg.still:
		return h.P(h.Class("reload noprint"), h.A(h.Class("button"), h.Href(path), pg.text("reload.start")))
	}
	return nil
}

// wrongPage says what is wrong and what would be right.
func wrongPage(word string) content {
	return func(pg page) g.Node {
		return g.Group{
			h.H1(pg.text("wrong.title")),
			pg.warning(word, ""),
			h.P(h.A(h.Class("button"), h.Href("/staff"), pg.text("nav.today"))),
		}
	}
}

// warning is a banner with what is wrong; nothing where word is "".
func (s *say) warning(word, class string) g.Node {
	if word == "" {
		return nil
	}
	return h.P(markup.Classes("banner bad", class), h.Role("alert"), g.Text("⚠ "+s.t(word)))
}

// meetingPath and orderPath are where something is done with a meeting or an order. An id of a calendar is
// a stranger's.
func meetingPath(id, do string) string { return "/staff/meetings/" + url.PathEscape(id) + "/" + do }

func orderPath(id string) string { return "/staff/orders/" + url.PathEscape(id) }

func hidden(name, value string) g.Node {
	return h.Input(h.Type("hidden"), h.Name(name), h.Value(value))
}

// marked is the mark that every form carries.
func (v *visit) marked() g.Node { return hidden("mark", v.mark()) }

// labelled is a field of a form under its name.
func (s *say) labelled(key string, field g.Node) g.Node {
	return h.Label(markup.Spaced(h.Span(s.text(key)), field))
}

// ticked is a field of a form that is ticked or not, before its name.
func (s *say) ticked(key, name string, attributes ...g.Node) g.Node {
	return h.Label(h.Class("check"), markup.Spaced(
		h.Input(h.Type("checkbox"), h.Name(name), h.Value("1"), g.Group(attributes)), h.Span(s.text(key)),
	))
}

// signed asks for the initials of who fills in a form.
func (v *visit) signed() g.Node {
	return h.Label(h.Class("who"), markup.Spaced(
		h.Span(v.text("who")), h.Input(h.Name("who"), h.Value(v.initials()), h.MaxLength("20"), h.Required(), h.AutoComplete("off")),
	))
}

// choose offers a value, which may be the one that stands there.
func choose(value, text string, stands bool) g.Node {
	return h.Option(h.Value(value), g.If(stands, h.Selected()), g.Text(text))
}

// head names the columns of a table.
func (s *say) head(keys ...string) g.Node {
	return h.THead(h.Tr(g.Map(keys, func(key string) g.Node { return h.Th(s.text(key)) })))
}

func cell(text string) g.Node { return h.Td(g.Text(text)) }

// entry is a line of a form on paper: what it is, and what is written there.
func (s *say) entry(key string, written ...g.Node) g.Node {
	return g.Group{h.Th(s.text(key)), h.Td(written...)}
}

// inLines is what somebody wrote, in their lines.
func inLines(text string) g.Node {
	return g.Map(strings.Split(text, "\n"), func(line string) g.Node { return g.Group{g.Text(line), h.Br()} })
}

// number is one that somebody may not have given.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// temperatures are the readings, each against the band that the room is kept in.
func (s *say) temperatures(list []reading, low, high int) g.Node {
	return g.Map(list, func(r reading) g.Node {
		wrong := r.Wrong != ""
		return h.P(markup.Classes("temperature", markup.When(wrong, "amber")), g.If(wrong, h.Role("status")), markup.Spaced(
			h.B(g.Text(s.device(r.Device))), h.Span(h.Class("big"), g.Text(r.Text)),
			g.If(wrong, h.B(g.Text("▲ "+s.t(r.Wrong)))), h.Small(s.text("temperature.band", low, high)),
		))
	})
}

// reload has the browser load the page again.
func reload(w http.ResponseWriter, seconds int, path string) {
	if seconds > 0 {
		w.Header().Set("Refresh", fmt.Sprintf("%d; url=%s?%s=1", seconds, path, quiet))
	}
}
