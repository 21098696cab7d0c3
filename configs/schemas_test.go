package configs_test

import (
	"encoding/json"
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

// TestTheProgramCarriesEachSchemaUnderItsName: they are files, and a name is soon mistaken.
func TestTheProgramCarriesEachSchemaUnderItsName(t *testing.T) {
	for title, text := range map[string][]byte{"Lectern room file": configs.RoomSchema, "Lectern building file": configs.BuildingSchema} {
		var schema struct{ Title string }
		if err := json.Unmarshal(text, &schema); err != nil || schema.Title != title {
			t.Errorf("%q is carried as the %s: %v", schema.Title, title, err)
		}
	}
}
