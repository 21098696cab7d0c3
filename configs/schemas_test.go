package configs_test

import (
	"testing"

	"lectern/configs"
	"lectern/devices/all"
)

// TestTheSchemasAreThoseOfTheTypes keeps them from changing unnoticed: editors depend on them.
func TestTheSchemasAreThoseOfTheTypes(t *testing.T) {
	room, err := configs.MakeSchema(all.Catalogue())
	if err != nil {
		t.Fatal(err)
	}
	configs.Compare(t, "room.schema.json", string(room))
	building, err := configs.MakeBuildingSchema()
	if err != nil {
		t.Fatal(err)
	}
	configs.Compare(t, "building.schema.json", string(building))
}
