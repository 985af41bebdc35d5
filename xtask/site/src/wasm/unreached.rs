//! Removes functions from the release's wasm that no page reaches, which the compiler cannot know.
//!
//! Leptos can hydrate a page in two ways, and every view has the code for both: synchronously (`hydrate_body`), as
//! `frontend` does, and asynchronously, for code that is fetched later (`hydrate_lazy`). The second is a large part of the
//! wasm. Its functions are replaced by stubs that trap. If a page called one, the tests in the browser would fail, because
//! they use the release's wasm.
//!
//! The compiler merges functions with the same code under one of their names, so the name is not sufficient: a function
//! that the rest of the program calls stays.

use std::collections::HashSet;

use anyhow::Result;
use walrus::{
    FunctionBuilder, FunctionId, FunctionKind, LocalFunction, Module,
    ir::{self, Visitor},
};

/// The end of the mangled name of each asynchronous function and its closures, before the hash.
const UNREACHED: &str = "13hydrate_async";
/// A closure in a mangled name.
const CLOSURE: &str = "28_$u7b$$u7b$closure$u7d$$u7d$";
/// The beginning of the hash in a mangled name.
const HASH: &str = "17h";

/// Returns the wasm without these functions.
pub(super) fn remove(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(wasm)?;
    for id in unreached(&module) {
        let (params, results) = module.types.params_results(module.funcs.get(id).ty());
        let (params, results) = (params.to_vec(), results.to_vec());
        let mut stub = FunctionBuilder::new(&mut module.types, &params, &results);
        stub.func_body().unreachable();
        let arguments = params.iter().map(|kind| module.locals.add(*kind)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(stub.local_func(arguments));
    }
    // Removes the functions that only these called.
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

/// The asynchronous functions that no other function calls.
fn unreached(module: &Module) -> HashSet<FunctionId> {
    let named = module.funcs.iter_local().filter(|(id, _)| is_asynchronous(module, *id));
    let mut unreached: HashSet<FunctionId> = named.map(|(id, _)| id).collect();
    loop {
        let mut called = Called::default();
        for (_, function) in module.funcs.iter_local().filter(|(id, _)| !unreached.contains(id)) {
            called.read(function);
        }
        let before = unreached.len();
        unreached.retain(|id| !called.0.contains(id));
        if unreached.len() == before {
            return unreached;
        }
    }
}

fn is_asynchronous(module: &Module, id: FunctionId) -> bool {
    let Some(name) = &module.funcs.get(id).name else { return false };
    let Some((_, mut rest)) = name.rsplit_once(UNREACHED) else { return false };
    while let Some(inner) = rest.strip_prefix(CLOSURE) {
        rest = inner;
    }
    rest.starts_with(HASH)
}

/// The functions that a function calls directly.
#[derive(Default)]
struct Called(HashSet<FunctionId>);

impl Called {
    fn read(&mut self, function: &LocalFunction) {
        ir::dfs_in_order(self, function, function.entry_block());
    }
}

impl Visitor<'_> for Called {
    fn visit_call(&mut self, call: &ir::Call) {
        self.0.insert(call.func);
    }

    fn visit_return_call(&mut self, call: &ir::ReturnCall) {
        self.0.insert(call.func);
    }
}

#[cfg(test)]
mod tests {
    use walrus::{ValType, ir::Instr};

    use super::*;

    const FIRST: &str = "_ZN3app7hydrate17h0123456789abcdefE";
    const SECOND: &str = "_ZN3app13hydrate_async17h0123456789abcdefE";
    const SHARED: &str = "_ZN3app13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE";
    const WITHIN: &str = "_ZN3app13hydrate_async28_$u7b$$u7b$closure$u7d$$u7d$4prep17h0123456789abcdefE";

    #[test]
    fn unreached_functions_become_stubs_and_others_stay() {
        let mut module = Module::default();
        let mut shared = None;
        for name in [SHARED, SECOND, WITHIN, FIRST] {
            let mut function = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
            let argument = module.locals.add(ValType::I32);
            let mut body = function.name(name.into()).func_body();
            body.local_get(argument);
            if let (FIRST, Some(shared)) = (name, shared) {
                body.call(shared);
            }
            let id = function.finish(vec![argument], &mut module.funcs);
            shared = shared.or(Some(id));
            module.exports.add(name, id);
        }
        let module = Module::from_buffer(&remove(&module.emit_wasm()).expect("wasm")).expect("wasm");
        let stops = module.funcs.iter_local().filter(|(_, function)| {
            function
                .block(function.entry_block())
                .instrs
                .iter()
                .any(|(it, _)| matches!(it, Instr::Unreachable(_)))
        });
        let names: Vec<_> = stops.filter_map(|(id, _)| module.funcs.get(id).name.as_deref()).collect();
        assert_eq!(names, [SECOND]);
        assert_eq!(module.funcs.iter_local().count(), 4);
    }
}
