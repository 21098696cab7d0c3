package main

import (
	"testing"
)

func TestTwoWhoEditOneOrderLoseNoWords(t *testing.T) {
	t.Parallel()
	in := browser(t)
	s := tablets[1]
	h, one := served(t, in, s)
	one.goes("/staff/orders", "orders")
	one.types("form.fields [name=symptom]", "no sound")
	one.types("form.fields [name=who]", "A")
	one.tap("form.fields button.main")
	one.sees("body.order")
	path := eval[string](one, "location.pathname")
	two := hang(t, in, h.url+path, s)
	two.sees("body.order")
	two.types("[name=text]", "words of B")
	two.types("[name=who]", "B")
	one.types("[name=text]", "words of A")
	one.tap("[value=note]")
	one.reads("main table + h2 + table", "words of A")
	two.tap("[value=fixed]")
	two.reads(".banner.bad", "words of A")
	if mine := eval[string](two, "document.querySelector('[name=text]').value"); mine != "words of B" {
		t.Errorf("in the form stands %q", mine)
	}
	two.tap("[value=fixed]") // having read the other's
	two.reads("h1 .chip", "Fixed")
	two.reads("main table + h2 + table", "words of B")
	two.reads("main table + h2 + table", "words of A")
}
