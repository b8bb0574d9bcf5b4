package authz

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// checker says whether policies and questions are as the schema says.
type checker struct{ *validate.Validator }

func newChecker() (checker, error) {
	var s schema.Schema
	if err := s.UnmarshalCedar([]byte(Schema())); err != nil {
		return checker{}, fmt.Errorf("authz: schema: %w", err)
	}
	resolved, err := s.Resolve()
	if err != nil {
		return checker{}, fmt.Errorf("authz: schema: %w", err)
	}
	return checker{validate.New(resolved, validate.WithStrict())}, nil
}

// policy refuses a policy that names what there is not. Cedar's validator
// takes any id of an enumerated type; roles are therefore looked at here.
func (c checker) policy(id string, p *cedar.Policy) error {
	if err := c.Policy(id, (*ast.Policy)(p.AST())); err != nil {
		return err
	}
	raw, err := p.MarshalJSON()
	if err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return err
	}
	return rolesIn(tree)
}

// rolesIn looks for entities of the type Role in Cedar's JSON.
func rolesIn(node any) error {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			if err := rolesIn(x); err != nil {
				return err
			}
		}
	case map[string]any:
		if id, ok := n["id"].(string); ok && n["type"] == "Role" && !slices.Contains(Roles(), Role(id)) {
			return fmt.Errorf("there is no role %q", id)
		}
		for _, x := range n {
			if err := rolesIn(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// question refuses one that is not as the schema says.
func (c checker) question(p Principal, r Resource, entities cedar.EntityMap, request cedar.Request) error {
	for _, role := range slices.Concat(p.Roles, r.Roles) {
		if !slices.Contains(Roles(), role) {
			return fmt.Errorf("there is no role %q", role)
		}
	}
	return errors.Join(c.Request(request), c.Entities(entities))
}
