package building

import (
	"fmt"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	"maragu.dev/gomponents/components"
	h "maragu.dev/gomponents/html"

	"lectern/devices"
	"lectern/panel/markup"
)

// document is a page with the head that both have. What stands in the head stays there.
func (s say) document(head g.Group, body ...g.Node) g.Node {
	return components.HTML5(components.HTML5Props{
		Title: s.building(), Language: markup.Language(s.lang), Body: body,
		Head: append(g.Group{h.Link(h.Rel("icon"), h.Href("data:,")), h.Link(h.Rel("stylesheet"), h.Href("/building.css"))}, head...),
	})
}

func (s say) building() string { return s.phrase(devices.Phrase(s.p.cfg.Building.Name)) }

// overview is the page: the sums, and the rooms in their groups.
func (s say) overview(c choice, revision uint64, sum sums, groups []group) g.Node {
	return s.document(
		g.Group{
			h.NoScript(h.Meta(g.Attr("http-equiv", "refresh"), h.Content("10"))),
			h.Script(h.Src("/building.js"), h.Defer()),
		},
		h.Data("since", fmt.Sprint(revision)), h.Data("epoch", s.p.epoch), h.Data("query", c.query()),
		s.bar(c),
		h.Main(
			h.P(h.Class("banner bad"), h.Role("alert"), h.ID("cut"), g.Attr("hidden"), g.Text("⚠ "+s.t("page.lost"))),
			h.Div(h.ID("sums"), s.sums(sum)),
			g.Map(groups, s.group),
		),
	)
}

func (s say) bar(c choice) g.Node {
	var byFloor g.Node
	if len(s.p.cfg.Floors) > 0 {
		byFloor = h.Nav(h.Class("noprint"), h.Aria("label", s.t("nav.by")),
			way(c.sorted(false), s.t("by.worst"), !c.ByFloor), way(c.sorted(true), s.t("by.floor"), c.ByFloor))
	}
	return h.Header(h.Class("bar"),
		h.H1(g.Text(s.building())),
		h.Nav(h.Class("noprint"), h.Aria("label", s.t("nav.show")),
			way(c.shown(false), s.t("show.all"), !c.Attention), way(c.shown(true), s.t("show.attention"), c.Attention)),
		byFloor,
		s.otherLanguage("button noprint", c),
		h.Form(h.Class("noprint"), h.Method("post"), h.Action("/leave"), h.Button(s.text("leave"))),
	)
}

func way(path, text string, here bool) g.Node {
	return h.A(h.Href(path), g.If(here, h.Aria("current", "page")), g.Text(text))
}

func (s say) otherLanguage(class string, c choice) g.Node {
	path := "/lang?to=" + s.other()
	if query := c.query(); query != "" {
		path += "&" + query
	}
	return h.A(h.Class(class), h.Lang(markup.Language(s.other())), h.Href(path), s.text("lang.other"))
}

// sums are the figures above the rooms, and how well they are known.
func (s say) sums(sum sums) g.Node {
	return g.Group{
		h.P(h.Class("now"), h.ID("now"), s.text("now", s.clock(sum.Now))),
		s.connection(sum.Link),
		h.Ul(h.Class("sums"),
			s.sum("sum.rooms", sum.Rooms, "", false),
			s.sum("sum.attention", sum.Attention, "▲", sum.Attention > 0),
			s.sum("sum.away", sum.Away, "✕", sum.Away > 0),
			s.sum("sum.busy", sum.Busy, "●", false),
			s.sum("sum.calls", sum.Calls, "☎", sum.Calls > 0),
			s.sum("sum.orders", sum.Orders, "✎", false),
		),
	}
}

func (s say) sum(key string, n int, sign string, wants bool) g.Node {
	var shape g.Node
	if sign != "" {
		shape = h.Span(h.Aria("hidden", "true"), g.Text(sign))
	}
	return h.Li(g.If(wants, h.Class("wants")), markup.Spaced(h.B(g.Text(fmt.Sprint(n))), shape, s.text(key)))
}

// connection says what the page does not see.
func (s say) connection(l Link) g.Node {
	var banners g.Group
	switch {
	case !l.Up:
		var why g.Node
		if l.Error != "" {
			why = h.Small(h.Lang("en"), g.Text("("+l.Error+")"))
		}
		banners = append(banners, h.P(h.Class("banner bad"), h.Role("alert"), markup.Spaced(g.Text("⚠ "+s.t("broker.down", s.clock(l.Since))), why)))
	case !l.Gathered:
		banners = append(banners, h.P(h.Class("banner"), g.Text("◌ "+s.t("broker.gather"))))
	}
	if l.LeftOut > 0 {
		banners = append(banners, h.P(h.Class("banner"), g.Text("⚠ "+s.t("broker.full", l.LeftOut))))
	}
	return banners
}

// group is a part of the page. Where it is empty nothing at all stands in its grid: the style sheet asks.
func (s say) group(part group) g.Node {
	return h.Section(
		g.If(part.Gone || part.Spare, markup.Classes(markup.When(part.Gone, "gone"), "spare")), h.Aria("labelledby", "title-"+part.ID),
		h.H2(h.ID("title-"+part.ID), g.Text(part.Title)),
		g.If(part.Gone, h.P(h.Class("about"), s.text("gone.about"))),
		h.Div(h.Class("grid"), h.ID(part.ID), g.Map(part.Tiles, func(t tile) g.Node {
			return g.Group{s.tile(t), g.Text("\n")} // where there is no grid, on paper, tiles stand in a line
		})),
		h.P(h.Class("none"), s.text("group.none")),
	)
}

// tile is a room. Its name, and all that it says, is a stranger's.
func (s say) tile(t tile) g.Node {
	return h.Article(markup.Classes("tile", string(t.Standing), markup.When(t.LastKnown, "known")), h.ID("room-"+t.ID), h.Data("room", t.ID), h.Data("key", t.Key),
		h.H3(s.roomName(t.View)),
		s.standing(t.View),
		s.inside(t.View),
	)
}

// roomName leads to the room's own pages, where it has any. An address that is none of the web, such as a
// script, is not followed.
func (s say) roomName(v View) g.Node {
	name := s.phrase(v.Name)
	if !strings.HasPrefix(v.Link, "https://") && !strings.HasPrefix(v.Link, "http://") {
		return g.Text(name)
	}
	return h.A(h.Href(v.Link), h.Aria("label", s.t("open", name)), g.Text(name))
}

func (s say) standing(v View) g.Node {
	said := s.t("standing." + string(v.Standing))
	if v.LastKnown {
		said = s.t("last", said)
	}
	since := "since"
	if v.About {
		since = "since.about"
	}
	return h.P(h.Class("standing"), markup.Spaced(
		h.Span(h.Class("shape"), h.Aria("hidden", "true"), g.Text(shape(v.Standing))), h.B(g.Text(said)), s.when(since, v.Since), s.when("until", v.Until),
	))
}

func (s say) when(key string, at time.Time) g.Node {
	if at.IsZero() {
		return nil
	}
	return h.Small(s.text(key, s.clock(at)))
}

// inside is what is known of a room beside how it stands.
func (s say) inside(v View) g.Node {
	switch v.Standing {
	case Missing, Unknown:
		return nil
	case Gone:
		return h.Pre(h.TabIndex("0"), g.Text(s.p.clearing(v.ID)))
	}
	then := v.Standing == Lost || v.Standing == Silent || v.Standing == Stopped
	return g.Group{
		g.If(then, h.P(h.Class("was"), s.text("was"))),
		s.use(v),
		s.counts(v),
		h.Details(h.Summary(s.text("details")), s.alerts(v), s.details(v)),
	}
}

// use is what a room is used for now, and how warm it is. Style sets its parts apart.
func (s say) use(v View) g.Node {
	var use g.Group
	add := func(text string) { use = append(use, h.Span(g.Text(text))) }
	if v.Phase != "" {
		add(markup.When(v.Busy(), "● ") + s.t("phase."+string(v.Phase)))
	}
	for _, p := range v.Projectors {
		use = append(use, h.Span(h.Title(p.Name), s.text("projector."+p.State)))
	}
	if source := s.phrase(v.Source); source != "" && len(v.Projectors) > 0 {
		add(source)
	}
	for _, scene := range v.Scenes {
		add(s.t("scene", scene))
	}
	if len(use) == 0 {
		add("○ " + s.t("idle"))
	}
	if warmth := temperatures(v.Temperatures); warmth != "" {
		add(warmth)
	}
	return h.P(h.Class("use"), use, g.If(v.Cold, h.B(g.Text("▼ "+s.t("cold")))), g.If(v.Warm, h.B(g.Text("▲ "+s.t("warm")))))
}

func (s say) counts(v View) g.Node {
	if v.Calls+v.Orders+v.Lines+v.Offline == 0 {
		return nil
	}
	count := func(sign, key string, n int) g.Node { return g.If(n != 0, h.Span(g.Text(sign+s.t(key, n)))) }
	return h.P(h.Class("counts"), count("☎ ", "calls", v.Calls), count("▲ ", "lines", v.Lines), count("▲ ", "offline", v.Offline), count("✎ ", "orders", v.Orders))
}

func (s say) alerts(v View) g.Node {
	if len(v.Alerts) == 0 {
		return nil
	}
	return h.Ul(
		g.Map(v.Alerts, func(a Alert) g.Node {
			return h.Li(markup.Spaced(h.B(g.Text(a.Name)), h.Span(h.Lang("en"), g.Text(a.Text))))
		}),
		g.If(v.More > 0, h.Li(s.text("more", v.More))),
	)
}

func (s say) details(v View) g.Node {
	started := ""
	if !v.Started.IsZero() {
		started = s.clock(v.Started)
	}
	return h.Dl(
		s.detail("detail.id", v.ID), s.detail("detail.temperature", temperatures(v.Temperatures)), s.detail("detail.version", v.Version),
		s.detail("detail.started", started), s.detail("detail.error", v.Error, h.Lang("en")),
	)
}

// detail is one that is known, or nothing.
func (s say) detail(key, text string, attributes ...g.Node) g.Node {
	if text == "" {
		return nil
	}
	return g.Group{h.Dt(s.text(key)), h.Dd(g.Group(attributes), g.Text(text))}
}

// door asks for the PIN.
func (s say) door(refused devices.Phrase) g.Node {
	var wrong g.Node
	if why := s.phrase(refused); why != "" {
		wrong = h.P(h.Class("banner bad"), h.Role("alert"), g.Text("⚠ "+why))
	}
	return s.document(nil, h.Class("enter"), h.Main(
		h.H1(g.Text(s.building())),
		wrong,
		h.Form(h.Method("post"), h.Action("/enter"), markup.Spaced(
			h.Label(markup.Spaced(h.Span(s.text("enter.title")), h.Input(h.Type("password"), h.Name("pin"), g.Attr("inputmode", "numeric"), h.Pattern("[0-9]*"),
				h.MaxLength("12"), h.AutoComplete("off"), h.Aria("label", s.t("enter.pin")), h.Required(), h.AutoFocus()))),
			h.Button(h.Class("main"), s.text("enter.go")),
		)),
		h.P(s.otherLanguage("button", choice{})),
	))
}
