package guide_test

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/panel"
	"lectern/panel/guide"
	"lectern/scenes/build"
)

var update = flag.Bool("update", false, "write the golden guides anew, to be read before they are committed")

// write writes the guide of a room file; change may alter the room first.
func write(t *testing.T, file, language string, change ...func(*configs.Room)) guide.Document {
	t.Helper()
	cfg, err := configs.Load(filepath.Join("..", "..", "configs", file), all.Catalogue(), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(cfg)
	}
	parts, err := build.Build(cfg, build.Options{Find: all.Find, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	words, err := panel.Words()
	if err != nil {
		t.Fatal(err)
	}
	return guide.Write(guide.Config{Cfg: cfg, Room: parts.Room, Engine: parts.Engine, Words: words, Language: language})
}

func markdown(t *testing.T, d guide.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func page(t *testing.T, d guide.Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := d.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// golden holds a text against the one that was read and committed.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestGuidesReadAsTheyWereRead(t *testing.T) {
	for _, room := range []string{"demo", "lecture-hall", "huddle"} {
		for _, language := range []string{"zh", "en"} {
			golden(t, room+"."+language+".md", markdown(t, write(t, room+".yaml", language)))
		}
	}
	golden(t, "demo.zh.html", page(t, write(t, "demo.yaml", "zh")))
}

// A huddle room has no rack and no curtains: nothing is said of them, and no number is left out.
func TestAGuideHasWhatTheRoomHasAndNoMore(t *testing.T) {
	text := markdown(t, write(t, "huddle.yaml", "zh"))
	for _, word := range []string{"机柜", "窗帘", "系统密码", "冷却后才能", "未通电", "DVD"} {
		if strings.Contains(text, word) {
			t.Errorf("the guide of the huddle room speaks of %s", word)
		}
	}
	for _, head := range []string{"### 3.1 进入主菜单", "### 3.2 灯光操作", "### 3.3 影音视频会议操作", "### 3.6 断电以后"} {
		if !strings.Contains(text, head) {
			t.Errorf("the guide of the huddle room lacks %q", head)
		}
	}
}

func TestARoomFileAloneDecidesWhatTheGuideSays(t *testing.T) {
	text := markdown(t, write(t, "demo.yaml", "zh", func(r *configs.Room) {
		r.Room.Name, r.Room.Help = configs.Name{ZH: "藏书阁"}, "110"
		for i := range r.Devices {
			if r.Devices[i].ID == "door-curtain" {
				r.Devices[i].Name = configs.Name{ZH: "天窗帘"}
			}
		}
		r.Rules = nil
	}))
	for _, want := range []string{"# 藏书阁影音会议设备操作维护作业指导书", "拨打110报修", "天窗帘、后窗帘、落地窗帘"} {
		if !strings.Contains(text, want) {
			t.Errorf("the guide lacks %q", want)
		}
	}
	for _, gone := range []string{"门窗帘", "随着放下", "第一会议室"} {
		if strings.Contains(text, gone) {
			t.Errorf("the guide still says %q", gone)
		}
	}
}

// What the panel has no word for would show as its key.
func TestEveryWordOfAGuideIsOneOfThePanel(t *testing.T) {
	key := regexp.MustCompile(`\b(page|state|tab|do|pin|end|transport|volume|lost|lang|said|curtains)\.[a-z]+|\{\w+\}|%!`)
	for _, room := range []string{"demo", "lecture-hall", "huddle"} {
		for _, language := range []string{"zh", "en"} {
			if found := key.FindString(markdown(t, write(t, room+".yaml", language))); found != "" {
				t.Errorf("%s in %s says %q", room, language, found)
			}
		}
	}
}

func TestThePrintedPageNeedsNothingElse(t *testing.T) {
	text := page(t, write(t, "lecture-hall.yaml", "en"))
	for _, word := range []string{"<script", "src=", "href=", "url(", "http:", "https:", "style="} {
		if strings.Contains(text, word) {
			t.Errorf("the page has %s", word)
		}
	}
	if !strings.Contains(text, "@media print") || !strings.Contains(text, `<html lang="en">`) {
		t.Error("the page is not made for the printer, or does not say its language")
	}
}

func TestNamesCannotSpoilThePaper(t *testing.T) {
	d := write(t, "huddle.yaml", "en", func(r *configs.Room) {
		r.Devices[1].Name = configs.Name{EN: "Table | *light* <b>_1_"}
		r.Room.Name = configs.Name{EN: "</title></style><script>alert(1)</script>"}
	})
	if text := markdown(t, d); !strings.Contains(text, `Table \| \*light\* &lt;b>\_1\_`) {
		t.Error("Markdown takes a name for its own")
	}
	if text := page(t, d); !strings.Contains(text, "Table | *light* &lt;b&gt;_1_") || strings.Contains(text, "<script") {
		t.Error("HTML takes a name for its own")
	}
}
