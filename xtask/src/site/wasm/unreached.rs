//! Takes out of the release what no page can reach and the compiler cannot know of.
//!
//! Leptos can make a page live in two ways, and each part of a view carries the code for both: at once
//! (`hydrate_body`), as `frontend` does, and waiting for code that is fetched later (`hydrate_lazy`). The second is an
//! eighth of all the wasm. Should anything ever call it, it stops there, and with it every test in the browser, since
//! those run on the release's wasm.

use anyhow::Result;
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// What is in the name of each function of the second way: their own, and that of what they leave behind.
const UNREACHED: &str = "hydrate_async";

/// The wasm without them.
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
    // What they alone called goes with them.
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

fn unreached(module: &Module) -> Vec<FunctionId> {
    let named =
        |id: &FunctionId| module.funcs.get(*id).name.as_ref().is_some_and(|name| name.contains(UNREACHED));
    module.funcs.iter_local().map(|(id, _)| id).filter(named).collect()
}

#[cfg(test)]
mod tests {
    use walrus::{ValType, ir::Instr};

    use super::*;

    #[test]
    fn what_is_not_reached_is_empty_and_the_rest_is_as_it_was() {
        let mut module = Module::default();
        for name in ["app::hydrate_async::{{closure}}", "app::hydrate"] {
            let mut function = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
            let argument = module.locals.add(ValType::I32);
            function.name(name.into()).func_body().local_get(argument);
            let id = function.finish(vec![argument], &mut module.funcs);
            module.exports.add(name, id);
        }
        let module = Module::from_buffer(&remove(&module.emit_wasm()).expect("wasm")).expect("wasm");
        let stops: Vec<bool> = module
            .funcs
            .iter_local()
            .map(|(_, function)| &function.block(function.entry_block()).instrs)
            .map(|instructions| instructions.iter().any(|(it, _)| matches!(it, Instr::Unreachable(_))))
            .collect();
        assert_eq!(stops.len(), 2);
        assert_eq!(stops.iter().filter(|stops| **stops).count(), 1);
    }
}
