//! Parts of a page that are built anew where another of their kind takes their place, instead of being changed into it.
//!
//! Leptos changes a part in place, which keeps the focus and what somebody typed there. Where a part has nothing of the
//! kind to keep, or must not hand it on (the draft of one room to the next), this says so; and the code for changing
//! each element of it, which every visitor would fetch, is not made.

#[cfg(feature = "ssr")]
use leptos::prelude::*;

/// See the module.
pub trait IntoErased {
    /// The part as one of any kind.
    fn erased(self) -> ErasedView;
}

/// Some part. The server, which changes nothing, has no need of one of its own.
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

    /// Some part.
    pub struct ErasedView(Box<dyn ErasedRender + Send>);

    /// What is in the document of it.
    pub struct ErasedState(Box<dyn Mountable>);

    /// The two ways into the document, of whatever it is.
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

        /// Attributes are given to elements, never to parts.
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

        /// The server's, which has no part of this kind.
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
