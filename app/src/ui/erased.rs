//! Type-erased views that are built anew instead of being updated in place.
//!
//! Leptos updates a view in place when another of its type replaces it, which keeps focus and typed text. Views that
//! have nothing to keep, or must not pass it on (the draft of one room to the next), are erased: the code to update
//! each of their elements is then not generated, which makes the wasm smaller.

#[cfg(feature = "ssr")]
use leptos::prelude::*;

pub trait IntoErased {
    /// Erases the type of the view.
    fn erased(self) -> ErasedView;
}

/// On the server Leptos' own erased view is used, since nothing is updated there.
#[cfg(feature = "ssr")]
pub type ErasedView = AnyView;

#[cfg(feature = "ssr")]
impl<T: RenderHtml + 'static> IntoErased for T {
    fn erased(self) -> ErasedView {
        self.into_any()
    }
}

#[cfg(not(feature = "ssr"))]
pub use live::ErasedView;

#[cfg(not(feature = "ssr"))]
mod live {
    use leptos::{
        prelude::*,
        tachys::{
            html::attribute::{Attribute, any_attribute::AnyAttribute},
            hydration::Cursor,
            renderer::types::{Element, Node},
            view::{Mountable, Position, PositionState, add_attr::AddAnyAttr},
        },
    };

    use super::IntoErased;

    pub struct ErasedView(Box<dyn ErasedRender + Send>);

    /// The nodes in the document.
    pub struct ErasedState(Box<dyn Mountable>);

    /// Object-safe subset of `Render` and `RenderHtml`.
    trait ErasedRender {
        fn build(self: Box<Self>) -> ErasedState;
        fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> ErasedState;
    }

    impl<T: RenderHtml + 'static> ErasedRender for T {
        fn build(self: Box<Self>) -> ErasedState {
            ErasedState(Box::new(Render::build(*self)))
        }

        fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> ErasedState {
            ErasedState(Box::new(RenderHtml::hydrate::<true>(*self, cursor, position)))
        }
    }

    impl<T: RenderHtml + 'static> IntoErased for T {
        fn erased(self) -> ErasedView {
            ErasedView(Box::new(self))
        }
    }

    impl Mountable for ErasedState {
        fn unmount(&mut self) {
            self.0.unmount();
        }

        fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
            self.0.mount(parent, marker);
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            self.0.insert_before_this(child)
        }

        fn elements(&self) -> Vec<Element> {
            self.0.elements()
        }
    }

    impl Render for ErasedView {
        type State = ErasedState;

        fn build(self) -> ErasedState {
            self.0.build()
        }

        fn rebuild(self, state: &mut ErasedState) {
            let mut new = self.0.build();
            state.insert_before_this(&mut new);
            state.unmount();
            *state = new;
        }
    }

    impl AddAnyAttr for ErasedView {
        type Output<A: Attribute> = Self;

        /// Attributes are added to elements only.
        fn add_any_attr<A: Attribute>(self, _: A) -> Self {
            self
        }
    }

    impl RenderHtml for ErasedView {
        type AsyncOutput = Self;
        type Owned = Self;

        const MIN_LENGTH: usize = 0;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> Self {
            self
        }

        /// Not used in the browser.
        fn to_html_with_buf(
            self,
            _: &mut String,
            _: &mut Position,
            _escape: bool,
            _mark_branches: bool,
            _: Vec<AnyAttribute>,
        ) {
        }

        fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> ErasedState {
            self.0.hydrate(cursor, position)
        }

        fn into_owned(self) -> Self {
            self
        }
    }
}
