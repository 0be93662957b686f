// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "catalog/catalog.h"
#include "syntax/statement.h"

// Errors of a declaration are shown where they stand in its file: file:line:column. An object that
// came from the lake or from a statement has no file text; its definition stands in for it.
namespace braid::catalog {

// The byte offset of a spot in a text: the reverse of SpotAt. A spot outside is cut to the text.
size_t OffsetOf(std::string_view text, const SourceSpot& spot);

// The same error at an offset of the object's statement, whatever place it had.
Error PlaceInFile(const Error& error, const Object& object, size_t statement_offset);

// The same error, its place counted in a part of the statement (a query, a condition) so far.
// Without a place: where the part begins. An error that already names a file is left alone.
Error PlaceInFile(const Error& error, const Object& object, const syntax::SourceText& part);

}  // namespace braid::catalog
