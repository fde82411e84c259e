package store

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Each statement has one caller, which names it by a constant, and each caller's statement has a file.
func TestStatementsAndCallers(t *testing.T) {
	files, err := fs.Glob(queries, "query/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	calls := map[string]int{}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "query/"), ".sql")
		calls[name] = 0
		if first, _, _ := strings.Cut(statement(name), "\n"); !strings.HasPrefix(first, "-- "+name+": ") {
			t.Errorf("%s begins with %q, want -- %s: and what it does", file, first, name)
		}
	}
	for _, name := range callers(t) {
		if _, ok := calls[name]; !ok {
			t.Errorf("%s is called and has no file", name)
		}
		calls[name]++
	}
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		if calls[name] != 1 {
			t.Errorf("%s has %d callers, want 1", name, calls[name])
		}
	}
}

// callers are the names of the statements that calls of exec, query and statement in this package give.
func callers(t *testing.T) (names []string) {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if name, err := statementName(n); err != nil {
				t.Errorf("%s: %v", fset.Position(n.Pos()), err)
			} else if name != "" {
				names = append(names, name)
			}
			return true
		})
	}
	return names
}

// statementName is the one that n calls exec or query with, or sends by other means; empty when n is something else.
func statementName(n ast.Node) (string, error) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", nil
	}
	if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "statement" {
		if literal, ok := call.Args[0].(*ast.BasicLit); ok { // else exec or query passes its own on
			return strconv.Unquote(literal.Value)
		}
		return "", nil
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "exec" && method.Sel.Name != "query" {
		return "", nil
	}
	literal, ok := call.Args[1].(*ast.BasicLit)
	if !ok {
		return "", fmt.Errorf("%s without a constant name", method.Sel.Name)
	}
	return strconv.Unquote(literal.Value)
}
