package guide

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the guide as Markdown.
func (d Document) Markdown(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", plain(d.Title))
	for _, part := range d.Parts {
		fmt.Fprintf(&b, "\n## %s %s\n", part.Number, plain(part.Title))
		if part.Text != "" {
			fmt.Fprintf(&b, "\n%s\n", plain(part.Text))
		}
		for _, s := range part.Sections {
			fmt.Fprintf(&b, "\n### %s %s\n", s.Number, plain(s.Title))
			for _, item := range s.Items {
				fmt.Fprintf(&b, "\n**%s** %s\n", item.Number, plain(item.Text))
				if len(item.List) > 0 {
					b.WriteString("\n")
				}
				for _, one := range item.List {
					fmt.Fprintf(&b, "- %s\n", plain(one))
				}
				if item.Table != nil {
					item.Table.markdown(&b)
				}
			}
		}
	}
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("writing the guide: %w", err)
	}
	return nil
}

func (t *Table) markdown(b *strings.Builder) {
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(b, "| %s ", plain(c))
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
	row(t.Head)
	b.WriteString(strings.Repeat("| --- ", len(t.Head)) + "|\n")
	for _, cells := range t.Rows {
		row(cells)
	}
}

// plain takes the meaning off what Markdown would take for its own.
func plain(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "|", `\|`, "\n", " ").Replace(strings.TrimSpace(s))
}
